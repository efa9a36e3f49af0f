"""A folder held open, to notice when its name is no longer its own.

Whoever has files open in it writes on after it was deleted or moved, and nobody will ever read it.
"""

import os
from pathlib import Path
from typing import Self

from rstar_async.errors import BadInput


class HeldFolder:
    """Made if need be, and held inside `with`; `BadInput` if it cannot be had."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BadInput(f"cannot make {self.path}: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def is_there(self) -> bool:
        """False once it was deleted, moved, or replaced by another of its name."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except (FileNotFoundError, NotADirectoryError):
            return False
