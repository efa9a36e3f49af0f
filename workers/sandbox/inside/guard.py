"""The guard: parent of the zygote and (by CLONE_PARENT) of every node.

It reaps them and reports to the worker how each ended. When the worker or the zygote is gone, it
kills the whole process group, and exits only when no process is left. No user code runs in it.
"""

import _thread
import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import confine, frames, node


def main(control: int, channel: int, zygote: Sequence[str]) -> NoReturn:
    """Start the interpreter `zygote` on `control`; report on `channel` who has ended, and how."""
    os.umask(0o077)
    confine.name_process("sandbox-guard")
    worker = os.pidfd_open(os.getppid())
    group = _start(zygote, control, channel)
    _thread.start_new_thread(_watch, (group, (channel, worker)))
    reap(group, socket.socket(fileno=channel))


def _start(zygote: Sequence[str], control: int, channel: int) -> int:
    os.set_inheritable(channel, False)
    aside = fcntl.fcntl(control, fcntl.F_DUPFD_CLOEXEC, 10)  # a copy onto itself would be closed
    os.close(control)
    python = os.path.realpath(sys.executable)  # programs can read no link that leads to a module
    command, place = [python, *zygote], [(os.POSIX_SPAWN_DUP2, aside, node.CONTROL)]
    pid = os.posix_spawn(python, command, os.environ, file_actions=place, setpgroup=0)
    os.close(aside)
    return pid


def _watch(group: int, worker: Sequence[int]) -> None:
    """Kill the group when the worker is gone or has closed its socket."""
    select.select(worker, [], [])
    _kill(group)


def reap(group: int, channel: socket.socket) -> NoReturn:
    """Report every exit up to that of the zygote, leader of `group`; then kill all that is left.

    It waits without signals, which would also report every stop and continuation of a node.
    """
    channel.setblocking(True)
    ending = False
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            os._exit(0)
        if not ending:  # later exits are caused by this guard
            cpu = usage.ru_utime + usage.ru_stime
            with contextlib.suppress(OSError):
                channel.send(frames.EXIT.pack(pid, status, cpu, usage.ru_maxrss))
        ending |= pid == group
        if ending:  # repeatedly: a process may just have been forking
            _kill(group)


def _kill(group: int) -> None:
    """Safe: the group id is not reused while a member lives, and members cannot leave it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
