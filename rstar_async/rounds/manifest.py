"""Whether a published model is still what its manifest says. Knows files, but no torch."""

import hashlib
from pathlib import Path

from storage.records import ModelVersion


def faults(version: ModelVersion) -> list[str]:
    """One line for each file that is missing or has changed since it was published."""
    folder = Path(version.path)
    if not folder.is_dir():
        return [f"there is no folder {folder}"]
    found: list[str] = []
    for name, facts in version.manifest.get("files", {}).items():
        file = folder / name
        if not file.is_file():
            found.append(f"{name} is missing")
        elif sha256(file) != facts["sha256"]:
            found.append(f"{name} has changed")
    return found


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
