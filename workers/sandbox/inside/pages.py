"""Memory in few and large pieces, because every fork copies its description piece by piece.

Huge pages: half of a fork's cost was page tables, entry by entry. A child shares a huge page by one
entry and splits it when it first writes there, so it still owns no more than the small pages that
it changed. Mappings: a fork links each that has been written to once for every living ancestor;
sixteen generations deep that was 70 % of its cost.
"""

import ctypes
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

HUGE = 2 << 20
MADV_COLLAPSE = 25  # Linux 6.1; elsewhere an error, and everything works as before
READ_WRITE = 1 | 2

_libc = ctypes.PyDLL(None)
_libc.madvise.argtypes = _libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Mapping(NamedTuple):
    """One line of /proc/self/maps."""

    first: int
    end: int
    access: str
    offset: int
    name: str


def collapse() -> int:
    """Gather our private memory into huge pages where the kernel can; the MiB that it did."""
    gathered = [_libc.madvise(page, HUGE, MADV_COLLAPSE) == 0 for page in _huge_pages()]
    return gathered.count(True) * HUGE >> 20


def _huge_pages() -> Iterator[int]:
    for mapping in mappings():
        if mapping.access == "rw-p" and mapping.name in ("", "[heap]"):
            yield from range(-(-mapping.first // HUGE) * HUGE, mapping.end - HUGE + 1, HUGE)


def join() -> int:
    """Unite each library's relocated tables with its data; how many were.

    The loader has made the former read-only. That is no defence here: programs may call mprotect.
    """
    united = [
        _libc.mprotect(tables.first, tables.end - tables.first, READ_WRITE) == 0
        for tables, data in pairwise(mappings())
        if (tables.access, data.access) == ("r--p", "rw-p") and _is_continued(tables, data)
    ]
    return united.count(True)


def _is_continued(one: Mapping, other: Mapping) -> bool:
    length = one.end - one.first
    place = (one.name, one.end, one.offset + length)
    return one.name.startswith("/") and place == (other.name, other.first, other.offset)


def mappings() -> list[Mapping]:
    """What this process has mapped, by address."""
    with open("/proc/self/maps") as maps:
        return [_parsed(line) for line in maps]


def _parsed(line: str) -> Mapping:
    span, access, offset, _, _, *name = line.split(None, 5)
    first, _, end = span.partition("-")
    return Mapping(
        int(first, 16), int(end, 16), access, int(offset, 16), name[0].strip() if name else ""
    )
