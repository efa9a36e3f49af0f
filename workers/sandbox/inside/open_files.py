"""Files that a program has left open: each child gets a position of its own in them.

A fork shares the position, so that what one child reads its siblings would not find any more. A
program that means to can hide a file from this; it gains a few bits between its own children.
"""

import os
import select
from collections.abc import Iterable

_lseek, _open, _dup2, _close = os.lseek, os.open, os.dup2, os.close
_NOT_OPEN, _READ_ONLY = select.POLLNVAL, os.O_RDONLY | os.O_CLOEXEC


class OpenFiles:
    """The open files among these descriptors."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._poll = select.poll()  # one call for all of them, which are mostly not open
        for number in numbers:
            self._poll.register(number, select.POLLIN)

    def open_again(self) -> None:
        """Replace each by one of the same file at the same place."""
        for number, event in self._poll.poll(0):
            if not event & _NOT_OPEN:
                _open_again(number)


def _open_again(number: int) -> None:
    try:
        place = _lseek(number, 0, os.SEEK_CUR)
        again = _open(f"/proc/self/fd/{number}", _READ_ONLY)
    except OSError:  # a socket
        return
    _lseek(again, place, os.SEEK_SET)
    _dup2(again, number, False)
    _close(again)
