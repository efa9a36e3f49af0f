"""Huge pages for what every fork copies: half of a fork's cost is page tables, entry by entry.

A child shares a huge page by one entry and splits it when it first writes there, so it still owns
no more than the small pages that it changed.
"""

import ctypes
from collections.abc import Iterator

HUGE = 2 << 20
MADV_COLLAPSE = 25  # Linux 6.1; elsewhere an error, and everything works as before

_libc = ctypes.PyDLL(None)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def collapse() -> int:
    """Gather our private memory into huge pages where the kernel can; the MiB that it did."""
    gathered = [_libc.madvise(page, HUGE, MADV_COLLAPSE) == 0 for page in _candidates()]
    return gathered.count(True) * HUGE >> 20


def _candidates() -> Iterator[int]:
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        span, access, _, _, _, *name = line.split(None, 5)
        if access == "rw-p" and name in ([], ["[heap]"]):
            first, end = (int(number, 16) for number in span.split("-"))
            yield from range(-(-first // HUGE) * HUGE, end - HUGE + 1, HUGE)
