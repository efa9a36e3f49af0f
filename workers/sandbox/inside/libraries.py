"""The libraries that interpreters will want, loaded before there is anything else in memory.

What they map would otherwise come to lie between the objects: each gap is one more mapping for
every fork to copy, and cuts a piece of memory too short for a huge page.
"""

import contextlib
import importlib

NAMES = (
    *("_bisect", "_bz2", "_ctypes", "_datetime", "_decimal", "_heapq", "_json", "_lzma", "_opcode"),
    *("_posixsubprocess", "_random", "_sha512", "_socket", "_statistics", "_struct", "_typing"),
    *("array", "cmath", "fcntl", "math", "resource", "select", "unicodedata", "zlib"),
)


def load() -> None:
    """Import all that this Python has."""
    for name in NAMES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
