"""The loop of the zygote and of every node: wait for an order, fork, let the child run the steps.

The child becomes the next node. What a node says is believed only about itself: whoever ran user
code may lie, but it holds one socket, cannot fork without a ticket and sees no other program.
Order (to the parent): one byte with two descriptors, the child's socket and its output pipe.
Then on the child's own socket: its greeting, the request (length first), the nonce and the report.
"""

import array
import builtins
import io
import linecache
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from . import confine, frames, step

__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

CONTROL, OUTPUT, NOWHERE = 3, 4, 0  # descriptors of a node, for good
CHUNK = 65536
REHEARSALS = 20  # CPython specialises code after eight calls
REHEARSED = ["x = 6\nfor i in range(3):\n    x += i", "print(x, 'x')\nx * 7"]
PLENTY = 1 << 45  # bytes

_exit, _dup2, _close = os._exit, os.dup2, os.close
_fork, _limit_memory, _filter = confine.fork_sibling, confine.limit_memory, confine.filter_calls
_from_bytes, _array = int.from_bytes, array.array


class Node:
    """One interpreter in the tree of programs."""

    def __init__(self, names: dict[str, Any], clone_flags: int, text: int) -> None:
        self._control = socket.socket(fileno=CONTROL)
        self._clone_flags = clone_flags
        self._lid = b""
        self._in_use = (0, 0)
        self._stream = open_streams()
        self._names = names
        self._text = text

    def serve(self, lid: bytes) -> NoReturn:
        """Fork once per order, until the other side hangs up.

        `lid`: a filter that each child adds for itself, where there is no listener.
        """
        self._lid = lid
        while True:
            descriptors = self._order()
            if not descriptors:
                _exit(0)
            try:
                pid = _fork(self._clone_flags)
            except OSError:
                pid = -1
            if pid == 0:
                self._adopt(*descriptors)
                self._live()
                continue
            for descriptor in descriptors:
                _close(descriptor)

    def _order(self) -> list[int]:
        try:
            message, ancillary, _, _ = self._control.recvmsg(16, socket.CMSG_SPACE(2 * 4))
        except OSError:
            return []
        if not message or not ancillary:
            return []
        received = _array("i")
        received.frombytes(ancillary[0][2][: 2 * received.itemsize])
        return received.tolist()

    def _adopt(self, control: int, output: int) -> None:
        for source, target in ((control, CONTROL), (output, OUTPUT)):
            if source != target:
                _dup2(source, target, False)
                _close(source)

    def weigh(self) -> None:
        """What is in use now is not charged to programs."""
        self._in_use = confine.memory_in_use()

    def rehearse(self) -> None:
        """Do some times what each child will do, on harmless steps and sockets of our own.

        The interpreter then has its caches filled and its code specialised before the first fork,
        and no child has to write all that to pages that it shares.
        """
        _dup2(NOWHERE, OUTPUT)  # first of all, for the number is to be free no longer
        prompter, stage = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        names, self._names = self._names, dict(self._names)
        control, self._control = self._control, stage
        for _ in range(REHEARSALS):
            request = frames.pack_request(bytes(frames.NONCE_BYTES), 0, PLENTY, 80, REHEARSED)
            prompter.send(len(request).to_bytes(8, "little") + request)
            _dup2(NOWHERE, OUTPUT)
            self._perform()
            prompter.recv(CHUNK), prompter.recv(CHUNK)
        self._names, self._control = names, control
        linecache.clearcache()
        prompter.close()
        stage.close()

    def _live(self) -> None:
        """Be born, run what is asked for; returns only if this is a node from now on."""
        report = self._perform()
        if not report.ok or report.ended or self._lid:
            _exit(0)

    def _perform(self) -> frames.Report:
        """Greet, run what is asked for, report."""
        self._control.sendmsg([frames.HELLO])
        request = frames.unpack_request(self._read())
        if self._lid:
            _filter(self._lid, False)
        _limit_memory(self._in_use[0] + request.memory, self._in_use[1] + request.memory)
        steps = step.Steps(self._names, self._stream, request.value, self._text)
        report = steps.run(request.steps, request.first, OUTPUT, NOWHERE)
        _dup2(NOWHERE, 1)
        _close(OUTPUT)
        self._control.sendmsg([frames.pack_report(request.nonce, report)])
        return report

    def _read(self) -> bytes:
        data = self._control.recvmsg(CHUNK)[0]
        length, data = _from_bytes(data[:8], "little"), data[8:]
        while len(data) < length:
            more = self._control.recvmsg(CHUNK)[0]
            if not more:
                _exit(0)
            data += more
        return data


def open_streams() -> io.TextIOWrapper:
    """Text streams on descriptors 0, 1 and 2 that no program can close for its successors."""
    stdin, stdout, stderr = (
        io.TextIOWrapper(make(io.FileIO(number, mode, closefd=False)), "utf-8", "backslashreplace")
        for number, mode, make in _STREAMS
    )
    sys.stdin = sys.__stdin__ = stdin  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = stdout  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = stderr  # type: ignore[misc]
    return stdout


_STREAMS: tuple[tuple[int, str, Callable[[io.FileIO], Any]], ...] = (
    (0, "r", io.BufferedReader),
    (1, "w", io.BufferedWriter),
    (2, "w", io.BufferedWriter),
)
