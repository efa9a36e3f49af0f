"""How much memory this process holds, and giving back what it no longer needs.

glibc keeps freed memory for later use, and after it has once freed a large block it keeps blocks of
that size too. Processes that are sent large messages now and then would keep the largest burst.
"""

import ctypes
import gc
import os

M_MMAP_THRESHOLD = -3  # of mallopt(3)
LARGE_BLOCK = 1 << 20  # is mapped by itself, and returned to the system when it is freed

_PAGE = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None)


def resident_bytes() -> int:
    """The memory of this process that is in RAM and in no file."""
    with open("/proc/self/statm", "rb") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * _PAGE


def return_large_blocks() -> None:
    """From now on, return each freed large block at once. Without effect on other C libraries."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def give_back() -> None:
    """Return all free memory; takes some milliseconds."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def give_back_garbage() -> None:
    """Free what refers to itself in circles, as models and caches do, and return all free memory.

    Python's collector counts objects, not bytes, so it may leave gigabytes in such circles.
    """
    gc.collect()
    give_back()
