"""Arranges memory in few and large pieces, because every fork copies its description by piece.

Huge pages: half of a fork's cost was page tables, entry by entry. A child shares a huge page by one
entry and splits it when it first writes there, so it still owns no more than the small pages that
it changed. Mappings: a fork links each that has been written to once for every living ancestor;
sixteen generations deep that was 70 % of its cost.
"""

import ctypes
import gc
import os
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

HUGE = 2 << 20
MADV_COLLAPSE = 25  # Linux 6.1; elsewhere an error, and everything works as before
POOL, POOL_HEADER, STEP, LARGEST = 16384, 48, 16, 512  # of CPython's allocator of small objects
MAX_FILLERS = 100_000  # of one size: with another allocator the loop would not end
PROT_READ, READ_WRITE = 1, 1 | 2
FIXED, ANONYMOUS = 0x02 | 0x10, 0x02 | 0x20 | 0x100000  # private both; the latter never over others
# Libraries that change while Python runs: reference counts, the allocator, the loader.
CHANGING_LIBRARIES = ("libpython", "python", "libc.", "libc-", "ld-", "_ctypes.", "libffi")

_fillers: list[object] = []
_libc = ctypes.PyDLL(None)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.sbrk.argtypes = (ctypes.c_long,)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int),
    ctypes.c_long,
)


class Mapping(NamedTuple):
    """One line of /proc/self/maps."""

    first: int
    end: int
    access: str
    offset: int
    name: str


def compact() -> None:
    """Keep what is in memory now for all children: hidden from the collector, in large pieces."""
    gc.collect()
    fill_gaps()
    gc.freeze()
    share_library_data()
    align_ends()
    collapse()


def fill_gaps() -> None:
    """Fill every gap between objects, permanently.

    Objects of a program are then side by side on pages of its own, not in gaps of shared ones.
    """
    for size in range(STEP, LARGEST + 1, STEP):
        _fillers.extend(_fill_gaps_of(size))


def _fill_gaps_of(size: int) -> Iterator[object]:
    """Blocks of this many bytes, until one begins a new pool."""
    for _ in range(MAX_FILLERS):
        thing = object() if size == STEP else 1.0 * size if size == 2 * STEP else bytes(size - 40)
        yield thing
        if id(thing) % POOL == POOL_HEADER:
            return


def align_ends() -> None:
    """Make growable mappings end at a huge page, or their last pages would have to be small."""
    for mapping in _own():
        if mapping.name:
            _libc.sbrk(-mapping.end % HUGE)
        elif mapping.end - mapping.first > HUGE:
            rest = mapping.first % HUGE
            _libc.mmap(mapping.first - rest, rest, READ_WRITE, ANONYMOUS, -1, 0)


def collapse() -> int:
    """Collapse private memory into huge pages where the kernel can; returns the MiB collapsed."""
    gathered = [_libc.madvise(page, HUGE, MADV_COLLAPSE) == 0 for page in _huge_pages()]
    return gathered.count(True) * HUGE >> 20


def _huge_pages() -> Iterator[int]:
    for mapping in _own():
        yield from range(-(-mapping.first // HUGE) * HUGE, mapping.end - HUGE + 1, HUGE)


def _own() -> list[Mapping]:
    """The mappings that hold objects: private, of no file, not the stack."""
    return [one for one in mappings() if one.access == "rw-p" and one.name in ("", "[heap]")]


def share_library_data() -> int:
    """Move library data into a memory file mapped privately in its place; how many mappings.

    Until it writes there, a process has no pages of its own for a fork to copy and to link.
    """
    places = list(_unchanging())
    try:
        store = os.memfd_create("libraries", os.MFD_CLOEXEC)
    except OSError:  # everything works as before
        return 0
    os.truncate(store, sum(place.end - place.first for place in places))
    offset = moved = 0
    for place in places:
        moved += _move(place, store, offset)
        offset += place.end - place.first
    os.close(store)
    return moved


def _move(place: Mapping, store: int, offset: int) -> bool:
    length = place.end - place.first
    access = READ_WRITE if place.access == "rw-p" else PROT_READ
    os.pwrite(store, (ctypes.c_char * length).from_address(place.first), offset)
    return bool(_libc.mmap(place.first, length, access, FIXED, store, offset) == place.first)


def _unchanging() -> Iterator[Mapping]:
    """Relocated tables and data of all libraries except those that change while this runs."""
    everything = mappings()
    for one, other in pairwise(everything):
        if _is_continued(one, other) and (one.access, other.access) == ("r--p", "rw-p"):
            yield one
        if one.access == "rw-p" and one.name.startswith("/") and not _is_changing(one):
            yield one


def _is_changing(mapping: Mapping) -> bool:
    return os.path.basename(mapping.name).startswith(CHANGING_LIBRARIES)


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
