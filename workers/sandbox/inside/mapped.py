"""What the filter of system calls takes for granted about memory that was mapped before it."""

import ctypes

from . import pages

READ_IMPLIES_EXEC = 0x0400000
KEEP = 0xFFFFFFFF  # only asks which personality it is

_libc = ctypes.PyDLL(None)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.personality.argtypes = (ctypes.c_ulong,)


def make_sure() -> None:
    """Leave no memory both writable and executable, and none both shared and writable.

    Older libffi maps its closures so; without them C code cannot call Python code, which it cannot
    here anyway. Raises MemoryError if something is shared: that cannot be mended.
    """
    personality = _libc.personality(KEEP)
    _libc.personality(personality & ~READ_IMPLIES_EXEC)
    for one in pages.mappings():
        if one.access.startswith("rwx"):
            _libc.mprotect(one.first, one.end - one.first, pages.READ_WRITE)
    for one in pages.mappings():
        if "wx" in one.access or (one.access.startswith("rw") and one.access.endswith("s")):
            raise MemoryError(f"memory that programs may not have: {one.access} {one.name}")
