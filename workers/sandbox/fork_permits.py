"""The seccomp listener: every `clone` with exactly our flags waits here for a fork permit.

A permit allows one process one fork; the worker grants it just before it asks that process for a
child. A process without one gets EAGAIN, and one that keeps trying is reported. The kernel compared
the flags, which are in a register, so they cannot change between the check and the answer.
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
    """The processes that may fork once, and counts of what the listener granted and denied."""

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
        """Take back the permit of `pid`; whether it had been used."""
        used = pid not in self._holders
        self._holders.discard(pid)
        return used

    def forget(self, pid: int) -> None:
        """The process `pid` is gone."""
        self._holders.discard(pid)
        self._refused.pop(pid, None)

    def use(self, pid: int) -> bool:
        """Whether `pid` may fork now; uses up its permit."""
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

    async def serve(self, listener: int) -> None:
        """Answer until every process under the filter is gone. Closes `listener`."""
        try:
            while True:
                await trio.lowlevel.wait_readable(listener)
                if not self._serve_one(listener) and _hung_up(listener):
                    return
        finally:
            trio.lowlevel.notify_closing(listener)
            os.close(listener)

    def _serve_one(self, listener: int) -> bool:
        notice = bytearray(NOTICE.size)
        try:
            fcntl.ioctl(listener, RECEIVE, notice)
        except OSError as error:
            return _expect(error, errno.ENOENT, errno.EINTR)  # killed while it waited
        number, pid, _, _ = NOTICE.unpack(notice)
        verdict = (0, CONTINUE) if self.use(pid) else (-errno.EAGAIN, 0)
        try:
            fcntl.ioctl(listener, SEND, ANSWER.pack(number, 0, *verdict))
        except OSError as error:
            _expect(error, errno.ENOENT)
        return True


def _expect(error: OSError, *expected: int) -> bool:
    if error.errno not in expected:
        raise error
    return False


def _hung_up(listener: int) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
