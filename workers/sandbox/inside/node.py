"""The loop of the zygote and of every node: wait for a fork request, fork, run the child's steps.

The child becomes the next node. What a node reports is trusted only about itself: a process that
ran user code may lie, but it holds one socket, cannot fork without a permit and sees no other
program.
Fork request (to the parent): one byte with two descriptors, the child's socket and its output.
Then on the child's own socket: its hello, or that there could be no child; the request (length
first), the nonce and the report.
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

from . import confine, frames, open_files, step

__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

CONTROL, OUTPUT, NOWHERE = 3, 4, 0  # the descriptors of every node
CHUNK = 65536
WARM_UP_RUNS = 20  # CPython specialises code after eight calls
WARM_UP_STEPS = ["x = 6\nfor i in range(3):\n    x += i", "print(x, 'x')\nx * 7"]
AMPLE_MEMORY = 1 << 45  # bytes

_exit, _dup2, _close, _write = os._exit, os.dup2, os.close, os.write
_fork, _limit_memory, _filter = confine.fork_sibling, confine.limit_memory, confine.filter_calls
_from_bytes, _array = int.from_bytes, array.array


class Node:
    """One interpreter in the tree of programs."""

    def __init__(self, names: dict[str, Any], clone_flags: int, text: int, files: int) -> None:
        self._control = socket.socket(fileno=CONTROL)
        self._clone_flags = clone_flags
        self._child_filter = b""
        self._memory_before = (0, 0)
        self._stream = open_streams()
        self._names = names
        self._text = text
        self._files = open_files.OpenFiles(range(OUTPUT + 1, files))
        self._has_run = False  # steps of a program, which may have left files open

    def serve(self, child_filter: bytes) -> NoReturn:
        """Fork once per request, until the other side closes the socket.

        `child_filter`: a filter that each child adds for itself, where there is no listener.
        """
        self._child_filter = child_filter
        while True:
            descriptors = self._receive_request()
            if not descriptors:
                _exit(0)
            try:
                pid = _fork(self._clone_flags)
            except OSError:
                pid = -1
                _refuse(descriptors[0])
            if pid == 0:
                self._take_descriptors(*descriptors)
                self._become_child()
                continue
            for descriptor in descriptors:
                _close(descriptor)

    def _receive_request(self) -> list[int]:
        try:
            message, ancillary, _, _ = self._control.recvmsg(16, socket.CMSG_SPACE(2 * 4))
        except OSError:
            return []
        if not message or not ancillary:
            return []
        received = _array("i")
        received.frombytes(ancillary[0][2][: 2 * received.itemsize])
        return received.tolist()

    def _take_descriptors(self, control: int, output: int) -> None:
        for source, target in ((control, CONTROL), (output, OUTPUT)):
            if source != target:
                _dup2(source, target, False)
                _close(source)

    def measure_memory(self) -> None:
        """Remember the memory in use now, which is not charged to programs."""
        self._memory_before = confine.memory_in_use()

    def warm_up(self) -> None:
        """Do several times what each child will do, with harmless steps over a local socket pair.

        The interpreter then has its caches filled and its code specialised before the first fork,
        and no child has to write all that to pages that it shares.
        """
        _dup2(NOWHERE, OUTPUT)  # first, so that the number is taken
        client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        names, self._names = self._names, dict(self._names)
        control, self._control = self._control, server
        for _ in range(WARM_UP_RUNS):
            request = frames.pack_request(
                bytes(frames.NONCE_BYTES), 0, AMPLE_MEMORY, 80, WARM_UP_STEPS
            )
            client.send(len(request).to_bytes(8, "little") + request)
            _dup2(NOWHERE, OUTPUT)
            self._serve_one()
            client.recv(CHUNK), client.recv(CHUNK)
        self._names, self._control, self._has_run = names, control, False
        linecache.clearcache()
        client.close()
        server.close()

    def _become_child(self) -> None:
        """Run the request of a new child; returns only if this process becomes a node."""
        report = self._serve_one()
        if not report.ok or report.ended or self._child_filter:
            _exit(0)

    def _serve_one(self) -> frames.Report:
        """Say hello, run the request, report."""
        self._control.sendmsg([frames.HELLO])
        request = frames.unpack_request(self._read())
        if self._child_filter:
            _filter(self._child_filter, False)
        _limit_memory(
            self._memory_before[0] + request.memory, self._memory_before[1] + request.memory
        )
        if self._has_run:
            self._files.open_again()
        self._has_run = True
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


def _refuse(control: int) -> None:
    """Say, in the place of a child, that there is none: processes or memory are short."""
    try:
        _write(control, frames.REFUSED)
    except OSError:
        return


def open_streams() -> io.TextIOWrapper:
    """Text streams on descriptors 0, 1 and 2 that a program cannot close for later steps."""
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
