"""The two trusted processes behind the wall: the guard, and the zygote that it forks.

The guard is the parent of the zygote and (by CLONE_PARENT) of every node. It reaps them, tells the
worker how each ended, and when the worker is gone, or the zygote, kills the whole process group
and leaves only when nothing is left. User code runs in neither.
"""

import builtins
import contextlib
import fcntl
import gc
import json
import os
import select
import signal
import site
import socket
import sys
import types
from typing import Any, NoReturn, TypeAlias

from . import confine, frames, node, pages, warm

Config: TypeAlias = dict[str, Any]

CONTROL, CHANNEL = (
    3,
    4,
)  # descriptors at the start; the guard keeps the second, the zygote the first


def main(control: int, channel: int) -> NoReturn:
    """Split into guard and zygote."""
    os.umask(0o077)
    _take_places(control, channel)
    worker = os.pidfd_open(os.getppid())
    zygote = os.fork()
    if zygote == 0:
        os.setpgid(0, 0)
        os.close(worker)
        os.close(CHANNEL)
        be_zygote()
    with contextlib.suppress(OSError):
        os.setpgid(zygote, zygote)
    os.close(CONTROL)
    guard(zygote, worker)


def _take_places(control: int, channel: int) -> None:
    aside = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (control, channel)]
    os.closerange(3, 10)
    for number, place in zip(aside, (CONTROL, CHANNEL), strict=True):
        os.dup2(number, place, inheritable=False)
        os.close(number)


def guard(zygote: int, worker: int) -> NoReturn:
    """Reap and report until the worker or the zygote is gone; then leave nobody behind."""
    confine.name_process("sandbox-guard")
    wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    channel = socket.socket(fileno=CHANNEL)
    channel.setblocking(True)
    sources: list[Any] = [wake, channel, worker]
    with contextlib.suppress(OSError):
        while zygote not in _reap(channel):
            ready, _, _ = select.select(sources, [], [])
            if channel in ready or worker in ready:
                break
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
    _end(zygote)


def _reap(channel: socket.socket) -> set[int]:
    ended: set[int] = set()
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        ended.add(pid)
        cpu = usage.ru_utime + usage.ru_stime
        channel.send(frames.DEATH.pack(pid, status, cpu, usage.ru_maxrss))


def _end(group: int) -> NoReturn:
    """The group cannot be reused while one member lives, and members cannot leave it."""
    while True:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)


def be_zygote() -> NoReturn:
    """Read the configuration, warm up, lock the doors, announce the locks, and serve."""
    control = socket.socket(fileno=fcntl.fcntl(CONTROL, fcntl.F_DUPFD_CLOEXEC, 10))
    try:
        config: Config = json.loads(control.recv(1 << 17))
        names = prepare(config)
        root = node.Node(names, config["clone"], config["text"])
        root.rehearse()
        gather()
        facts = lock(config)
        listener = confine.filter_calls(bytes.fromhex(config["filter"]), config["listener"])
    except BaseException as error:
        control.sendmsg([json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()])
        os._exit(1)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, listener.to_bytes(4, sys.byteorder))]
    control.sendmsg([json.dumps(facts).encode()], rights if config["listener"] else [])
    os.close(control.detach())
    os.closerange(CONTROL + 1, config["files"])
    root.serve(bytes.fromhex(config["lid"]))


def prepare(config: Config) -> dict[str, Any]:
    """Everything that needs files or memory, while it is still to be had; returns `__main__`."""
    confine.name_process(f"sandbox-{config['flavour']}")
    sys.path[:] = [path for path in sys.path if path != config["home"] and os.path.exists(path)]
    sys.path += config["site"]
    site.setquit()
    warm.warm_up(config["flavour"])
    sys.set_int_max_str_digits(0)
    sys.argv = [""]
    for name in [name for name in sys.modules if name.split(".")[0] == "inside"]:
        del sys.modules[name]
    module = types.ModuleType("__main__")
    vars(module)["__builtins__"] = builtins
    sys.modules["__main__"] = module
    os.chdir("/")
    return vars(module)


def gather() -> None:
    """What is in memory now stays, for all: out of the collector's sight, and in large pieces."""
    gc.collect()
    gc.freeze()
    pages.join()
    pages.collapse()


def lock(config: Config) -> dict[str, Any]:
    """Every lock but the filter, which must be last; returns what is in force."""
    confine.spare_the_worker()
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    os.environ.clear()
    os.environ.update(config["threads"])
    nobody = confine.become_nobody(sys.path)
    confine.no_new_privileges()
    readable = [*config["readable"], *sys.path, f"{sys.base_prefix}/lib"]
    abi = confine.landlock(readable) if config["landlock"] else 0
    confine.drop_capabilities()
    confine.hide()
    confine.limit(config["files"], config["cpu"])
    return {"landlock": abi, "nobody": nobody}
