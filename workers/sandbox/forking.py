"""One fork request and the answer to it, as seen by the worker."""

import array
import socket
from contextlib import suppress

import trio

from workers.sandbox import channel
from workers.sandbox.interpreter import Interpreter

GRACE_SECONDS = 0.3  # beyond the limits of a job, for its parent to bring a child
FORK_CPU_SECONDS = 0.5  # of the parent, before it counts as busy with something else
CPU_POLL_SECONDS = 0.1
LATE = b"late"  # instead of a greeting


def send_request(parent: socket.socket, control: socket.socket, output: channel.Output) -> bool:
    """Ask for a child with these channels; False if the parent is gone."""
    rights = array.array("i", [control.fileno(), output.writer])
    with suppress(OSError):
        parent.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        return True
    return False


async def greeting(sock: socket.socket, parent: Interpreter, seconds: float) -> tuple[bytes, int]:
    """What comes from the child, and the sender's pid; LATE if nothing does.

    A parent that has run user code has `FORK_CPU_SECONDS` of CPU time, too.
    """
    with trio.move_on_after(seconds):
        if parent.trusted:
            return await channel.receive(sock)
        cpu_before = parent.cpu_seconds()
        while parent.cpu_seconds() - cpu_before < FORK_CPU_SECONDS:
            with trio.move_on_after(CPU_POLL_SECONDS):
                return await channel.receive(sock)
    return LATE, 0
