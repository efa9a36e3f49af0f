"""Folders that this program made, and so may remove: each carries a marker file.

Nothing is removed recursively on the strength of its name or place alone.
"""

import shutil
from pathlib import Path

MARKER = ".made-by-rstar"


def make_owned(folder: Path) -> Path:
    """Make `folder`, which must not exist yet, with its parents, and mark it."""
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    return folder


def is_owned(folder: Path) -> bool:
    """Whether `folder` is a real folder, not a link, with the marker in it."""
    return folder.is_dir() and not folder.is_symlink() and (folder / MARKER).is_file()


def remove_owned(folder: Path) -> bool:
    """Remove `folder` with all that is in it if it is ours; whether that was so."""
    if not is_owned(folder):
        return False
    shutil.rmtree(folder)
    return True


def remove_owned_in(parent: Path, *, keep: str = "") -> None:
    """Remove our folders in `parent`, but the one named `keep`."""
    for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
        if folder.name != keep:
            remove_owned(folder)
