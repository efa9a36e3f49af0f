"""Checks the header of a GGUF file before a library believes its numbers. Pure but for the file.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only that everything which
the header announces fits into the file is checked; the library reads the values.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from rstar_async.errors import BadInput

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_DIMENSIONS = 8
# Bytes of one value by its type's number; strings and arrays have lengths of their own.
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9


def check_header(file: Path, key: str) -> None:
    """`BadInput` if the file is no GGUF, or announces more than it holds."""
    try:
        with file.open("rb") as stream:
            _Header(stream, file.stat().st_size).check()
    except OSError as error:
        raise BadInput(f"{key}: cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{key}: {file} is no whole GGUF file: {error}") from None


class _Header:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size

    def check(self) -> None:
        if self._bytes(4) != MAGIC:
            raise ValueError("it does not begin with GGUF")
        version = self._number("<I")
        if version not in VERSIONS:
            raise ValueError(f"its version is {version}, not 2 or 3")
        tensors, facts = self._number("<Q"), self._number("<Q")
        self._each(facts, 13, self._fact)
        self._each(tensors, 24, self._tensor)

    def _fact(self) -> None:
        self._skip(self._number("<Q"))
        self._value(self._number("<I"))

    def _value(self, kind: int) -> None:
        if kind == STRING:
            self._skip(self._number("<Q"))
        elif kind == ARRAY:
            self._array(self._number("<I"), self._number("<Q"))
        else:
            self._skip(self._size_of(kind))

    def _array(self, kind: int, count: int) -> None:
        if kind == ARRAY:
            raise ValueError("it has an array of arrays")
        if kind == STRING:
            self._each(count, 8, lambda: self._skip(self._number("<Q")))
        else:
            self._skip(count * self._size_of(kind))

    def _tensor(self) -> None:
        self._skip(self._number("<Q"))
        dimensions = self._number("<I")
        if dimensions > MOST_DIMENSIONS:
            raise ValueError(f"a tensor has {dimensions:,} dimensions")
        self._skip(8 * dimensions + 4)
        if self._number("<Q") > self._size:
            raise ValueError("a tensor lies behind its end")

    def _each(self, count: int, least_bytes: int, read: Callable[[], None]) -> None:
        if count * least_bytes > self._left():
            raise ValueError(f"it announces {count:,} entries, more than it has room for")
        for _ in range(count):
            read()

    def _size_of(self, kind: int) -> int:
        if kind not in SIZES:
            raise ValueError(f"it has a value of the unknown type {kind}")
        return SIZES[kind]

    def _skip(self, count: int) -> None:
        if count > self._left():
            raise ValueError(f"it announces {count:,} bytes, more than are left")
        self._stream.seek(count, 1)

    def _bytes(self, count: int) -> bytes:
        found = self._stream.read(count)
        if len(found) < count:
            raise ValueError("it ends too early")
        return found

    def _number(self, form: str) -> int:
        (number,) = struct.unpack(form, self._bytes(struct.calcsize(form)))
        return int(number)

    def _left(self) -> int:
        return self._size - self._stream.tell()
