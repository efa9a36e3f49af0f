"""Messages to and from the confined side: small sockets that keep their message boundaries.

Receiving attests the sender's pid by the kernel, and takes no descriptor in: what a hostile node
attaches to a message is dropped by the kernel, for want of room in the buffer.
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
    """Ours, non-blocking and told who speaks; and theirs."""
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
    if sock.fileno() < 0:  # closed by ourselves, after it had become readable
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


class DeathListener:
    """Waits for the first of several descriptors to become readable; one task for all of them."""

    def __init__(self, *sources: "socket.socket | Pipe") -> None:
        self._poll = select.epoll()
        for source in sources:
            self._poll.register(source, select.EPOLLIN)

    async def hear(self) -> None:
        """Returns when any of them has something, or is at its end."""
        await trio.lowlevel.wait_readable(self._poll)

    def ignore(self, source: "Pipe") -> None:
        """It has ended; no more of it. May be repeated."""
        with suppress(FileNotFoundError):
            self._poll.unregister(source)

    def close(self) -> None:
        """The sources stay as they are."""
        trio.lowlevel.notify_closing(self._poll)
        self._poll.close()


class Pipe:
    """The reading end of a program's output; keeps the first `most` bytes."""

    def __init__(self, most: int) -> None:
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.writer, True)
        self._most = most
        self.data = bytearray()
        self.ended = False  # nobody can write any more

    def fileno(self) -> int:
        """The reading end, to wait for."""
        return self._reader

    def drain(self) -> bool:
        """Take what is there without waiting; says whether all of it could be kept."""
        while len(self.data) <= self._most and self._read():
            pass
        return len(self.data) <= self._most

    def _read(self) -> int:
        try:
            piece = os.read(self._reader, 65536)
        except BlockingIOError:
            return 0
        self.ended = not piece
        self.data += piece
        return len(piece)

    def text(self) -> str:
        """What was kept, as text that any encoder takes."""
        return self.data[: self._most].decode("utf-8", "backslashreplace")

    def close_writer(self) -> None:
        """Our copy; the program has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Both ends."""
        self.close_writer()
        os.close(self._reader)
