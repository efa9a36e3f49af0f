"""The listener: every `clone` of our own shape waits here for a ticket.

A ticket is one permission to fork for one process, given just before the worker asks that process
for a child. Whoever has none gets EAGAIN; whoever keeps trying is reported. The flags were compared
in the kernel and live in a register, so nothing can change between the question and the answer.
"""

import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable

import trio

from workers.sandbox import policy

RECEIVE, SEND = 0xC0502100, 0xC0182101
NOTICE = struct.Struct("=QII64s")  # id, pid, flags, the call
ANSWER = struct.Struct("=QqiI")  # id, value, error, flags
CONTINUE = 1


class ForkPermits:
    """Who may fork once; also what the listener has seen."""

    def __init__(self, on_flood: Callable[[int], None]) -> None:
        self._holders: set[int] = set()
        self._refused: dict[int, int] = {}
        self._on_flood = on_flood
        self.granted = 0
        self.denied = 0

    def grant(self, pid: int) -> None:
        """Allow one fork to `pid`."""
        self._holders.add(pid)

    def revoke(self, pid: int) -> bool:
        """Take an unused ticket back; says whether it had been used."""
        used = pid not in self._holders
        self._holders.discard(pid)
        return used

    def forget(self, pid: int) -> None:
        """The process is gone."""
        self._holders.discard(pid)
        self._refused.pop(pid, None)

    def spend(self, pid: int) -> bool:
        """Whether `pid` may fork now; uses up its ticket."""
        if pid in self._holders:
            self._holders.discard(pid)
            self.granted += 1
            return True
        self.denied += 1
        self._refused[pid] = self._refused.get(pid, 0) + 1
        if self._refused[pid] >= policy.DENIED_FORKS:
            self._refused.pop(pid)
            self._on_flood(pid)
        return False

    async def answer(self, listener: int) -> None:
        """Answer until every process behind the filter is gone. Owns `listener`."""
        try:
            while True:
                await trio.lowlevel.wait_readable(listener)
                if not self._answer_one(listener) and _hung_up(listener):
                    return
        finally:
            trio.lowlevel.notify_closing(listener)
            os.close(listener)

    def _answer_one(self, listener: int) -> bool:
        notice = bytearray(NOTICE.size)
        try:
            fcntl.ioctl(listener, RECEIVE, notice)
        except OSError as error:
            return _must_be(error, errno.ENOENT, errno.EINTR)  # killed while it waited
        number, pid, _, _ = NOTICE.unpack(notice)
        verdict = (0, CONTINUE) if self.spend(pid) else (-errno.EAGAIN, 0)
        try:
            fcntl.ioctl(listener, SEND, ANSWER.pack(number, 0, *verdict))
        except OSError as error:
            _must_be(error, errno.ENOENT)
        return True


def _must_be(error: OSError, *expected: int) -> bool:
    if error.errno not in expected:
        raise error
    return False


def _hung_up(listener: int) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
