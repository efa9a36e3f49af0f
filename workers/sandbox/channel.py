"""Messages to and from confined processes, over sockets that keep message boundaries.

The kernel attests the sender's pid of each received message. Descriptors are not received: the
kernel drops those that a hostile node attaches, because the buffer has no room for them.
"""

import os
import select
import socket
import struct
from contextlib import suppress

import trio

from workers.sandbox import policy

CREDENTIALS = struct.Struct("=iII")  # pid, uid, gid
CREDENTIALS_ROOM = socket.CMSG_SPACE(CREDENTIALS.size)
TRUNCATED = int(socket.MSG_TRUNC)
CHUNK = 60000


def pair() -> tuple[socket.socket, socket.socket]:
    """The worker's end, non-blocking and with the sender's credentials; and the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


async def receive(sock: socket.socket) -> tuple[bytes, int]:
    """The next message and its sender's pid; b"" when the other side is gone. Cancel-safe."""
    while (received := receive_now(sock)) is None:
        await trio.lowlevel.wait_readable(sock)
    return received


def receive_now(sock: socket.socket) -> tuple[bytes, int] | None:
    """The same without waiting; None if there is nothing yet."""
    if sock.fileno() < 0:  # closed here after it had become readable
        return b"", 0
    try:
        message, ancillary, flags, _ = sock.recvmsg(policy.FRAME_BYTES, CREDENTIALS_ROOM)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b"", 0
    if flags & TRUNCATED:
        return b"", 0
    pids = [CREDENTIALS.unpack(data)[0] for _, _, data in ancillary if len(data) == 12]
    return message, pids[0] if pids else 0


async def send(sock: socket.socket, data: bytes) -> bool:
    """Send `data` of any length, its length first; False when the other side is gone."""
    data = len(data).to_bytes(8, "little") + data
    for start in range(0, len(data), CHUNK):
        if not await _send_one(sock, data[start : start + CHUNK]):
            return False
    return True


async def _send_one(sock: socket.socket, chunk: bytes) -> bool:
    while True:
        try:
            sock.send(chunk)
            return True
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)
        except ConnectionError:
            return False


class ReadinessPoll:
    """Waits until one of several descriptors becomes readable, in a single task."""

    def __init__(self, *sources: "socket.socket | Output") -> None:
        self._poll = select.epoll()
        for source in sources:
            self._poll.register(source, select.EPOLLIN)

    async def wait(self) -> None:
        """Return when any of them has data or is at its end."""
        await trio.lowlevel.wait_readable(self._poll)

    def remove(self, source: "Output") -> None:
        """Stop waiting for `source`. May be repeated."""
        with suppress(FileNotFoundError):
            self._poll.unregister(source)

    def close(self) -> None:
        """Does not close the sources."""
        trio.lowlevel.notify_closing(self._poll)
        self._poll.close()


class Output:
    """The reading end of what a program prints; keeps its first `max_bytes` bytes.

    A pair of sockets, because a pipe could be opened again for reading under /proc/self/fd.
    """

    def __init__(self, max_bytes: int) -> None:
        reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        reader.shutdown(socket.SHUT_WR)
        reader.setblocking(False)
        self._reader, self.writer = reader.detach(), writer.detach()
        self._max_bytes = max_bytes
        self.data = bytearray()
        self.at_end = False  # no writer is left

    def fileno(self) -> int:
        """The reading end."""
        return self._reader

    def drain(self) -> bool:
        """Read what is there without waiting; False if there was more than `max_bytes`."""
        while len(self.data) <= self._max_bytes and self._read():
            pass
        return len(self.data) <= self._max_bytes

    def _read(self) -> int:
        try:
            chunk = os.read(self._reader, 65536)
        except BlockingIOError:
            return 0
        self.at_end = not chunk
        self.data += chunk
        return len(chunk)

    def text(self) -> str:
        """What was kept, as text that can be encoded as UTF-8."""
        return self.data[: self._max_bytes].decode("utf-8", "backslashreplace")

    def close_writer(self) -> None:
        """Close the worker's copy of the writing end; the program has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_writer()
        os.close(self._reader)
