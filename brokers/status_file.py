"""The broker's `Status` as a file, renewed now and then: for a viewer that has no way to its doors,
and so can ask for nothing and disturb nobody."""

import contextlib
from pathlib import Path

import msgspec

from rstar_async.errors import BadInput
from rstar_async.wire.messages import Status


class StatusFile:
    """Written whole or not at all. A disk that is full costs the notice, not the broker."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        if file is not None and not file.parent.is_dir():
            raise BadInput(f"cannot write the notice {file}: there is no folder {file.parent}")

    def post(self, status: Status) -> None:
        if self._file is None:
            return
        draft = self._file.with_suffix(".draft")
        with contextlib.suppress(OSError):
            draft.write_bytes(msgspec.json.encode(status))
            draft.replace(self._file)
