"""The home folder of a run: its layout, and whether it is still there."""

import os
from pathlib import Path
from typing import Self

import msgspec

from rstar_async.config import Recipe
from rstar_async.errors import BadInput


def prepare_home(recipe: Recipe) -> Path:
    """Make the run's folders and write the resolved recipe; return its path."""
    path = write_private(recipe.home_folder / "recipe.json", recipe)
    try:
        recipe.models_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make {recipe.models_folder}: {error.strerror}") from None
    return path


def write_private(path: Path, content: msgspec.Struct) -> Path:
    """Write it whole or not at all, for this user only: a database's URL may hold a password."""
    draft = path.with_suffix(".draft")
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None
    return path


class HomeFolder:
    """Made if need be, and kept open inside `with`; `BadInput` if it cannot be made."""

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

    def exists(self) -> bool:
        """False once it was deleted, moved, or replaced by another folder of its name."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except (FileNotFoundError, NotADirectoryError):
            return False
