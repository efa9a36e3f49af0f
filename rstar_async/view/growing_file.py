"""A file that another process appends lines to, each of which is read once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


class GrowingFile:
    """Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = (0, 0)
        self._position = 0

    def new_lines(self, restarted: Callable[[], None]) -> Iterator[bytes]:
        """The whole lines that came since the last call. `restarted` is called before the first of
        another file: what was read before is no longer in it, or the file is gone."""
        try:
            file = self._path.open("rb")
        except OSError:
            self._forget()
            restarted()
            return
        with file:
            found = os.fstat(file.fileno())
            identity = (found.st_dev, found.st_ino)
            if identity != self._identity or found.st_size < self._position:
                restarted()
                self._identity, self._position = identity, 0
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                yield line

    def _forget(self) -> None:
        self._identity, self._position = (0, 0), 0
