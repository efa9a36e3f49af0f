"""Memory in few and large pieces, because every fork copies its description piece by piece.

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
MOST_GAPS = 100_000  # of one size: another allocator would have us go on for ever
PROT_READ, READ_WRITE = 1, 1 | 2
FIXED, ANONYMOUS = 0x02 | 0x10, 0x02 | 0x20 | 0x100000  # private both; the latter never over others
# Libraries that change while Python runs: reference counts, the allocator, the loader.
BUSY = ("libpython", "python", "libc.", "libc-", "ld-", "_ctypes.", "libffi")

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


def gather() -> None:
    """What is in memory now stays, for all: out of the collector's sight, and in large pieces."""
    gc.collect()
    fill()
    gc.freeze()
    share()
    round_off()
    collapse()


def fill() -> None:
    """Take up every gap between objects, for good.

    What a program makes then lies side by side on pages of its own, not in gaps of shared ones.
    """
    for size in range(STEP, LARGEST + 1, STEP):
        _fillers.extend(_fill(size))


def _fill(size: int) -> Iterator[object]:
    """Blocks of this many bytes, until one begins a new pool."""
    for _ in range(MOST_GAPS):
        thing = object() if size == STEP else 1.0 * size if size == 2 * STEP else bytes(size - 40)
        yield thing
        if id(thing) % POOL == POOL_HEADER:
            return


def round_off() -> None:
    """Let what can grow end where a huge page does, or its last pages would have to be small."""
    for mapping in _own():
        if mapping.name:
            _libc.sbrk(-mapping.end % HUGE)
        elif mapping.end - mapping.first > HUGE:
            rest = mapping.first % HUGE
            _libc.mmap(mapping.first - rest, rest, READ_WRITE, ANONYMOUS, -1, 0)


def collapse() -> int:
    """Gather our private memory into huge pages where the kernel can; the MiB that it did."""
    gathered = [_libc.madvise(page, HUGE, MADV_COLLAPSE) == 0 for page in _huge_pages()]
    return gathered.count(True) * HUGE >> 20


def _huge_pages() -> Iterator[int]:
    for mapping in _own():
        yield from range(-(-mapping.first // HUGE) * HUGE, mapping.end - HUGE + 1, HUGE)


def _own() -> list[Mapping]:
    """Where objects are: what is private, of no file, and not the stack."""
    return [one for one in mappings() if one.access == "rw-p" and one.name in ("", "[heap]")]


def share() -> int:
    """Put what libraries hold into a file in memory, mapped privately where it was; how many.

    Until it writes there, a process has no pages of its own for a fork to copy and to link.
    """
    places = list(_at_rest())
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


def _at_rest() -> Iterator[Mapping]:
    """Relocated tables and data of all libraries but those that this very code changes."""
    everything = mappings()
    for one, other in pairwise(everything):
        if _is_continued(one, other) and (one.access, other.access) == ("r--p", "rw-p"):
            yield one
        if one.access == "rw-p" and one.name.startswith("/") and not _is_busy(one):
            yield one


def _is_busy(mapping: Mapping) -> bool:
    return os.path.basename(mapping.name).startswith(BUSY)


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
