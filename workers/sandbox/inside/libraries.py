"""The libraries that interpreters will need, loaded before anything else is in memory.

Otherwise their mappings would lie between the objects: each gap is one more mapping for every fork
to copy, and leaves a piece of memory too short for a huge page.
"""

import contextlib
import importlib

NAMES = (
    *("_bisect", "_bz2", "_ctypes", "_datetime", "_decimal", "_heapq", "_json", "_lzma", "_opcode"),
    *("_posixsubprocess", "_random", "_sha512", "_socket", "_statistics", "_struct", "_typing"),
    *("array", "cmath", "fcntl", "math", "resource", "select", "unicodedata", "zlib"),
)


def load() -> None:
    """Import those that this Python has."""
    for name in NAMES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
