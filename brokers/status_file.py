"""The broker's `Status` as a file, rewritten every second: for a viewer that cannot reach the
broker's endpoints."""

import contextlib
from pathlib import Path

import msgspec

from rstar_async.errors import BadInput
from rstar_async.wire.messages import Status


class StatusFile:
    """Written whole or not at all. A full disk costs the file, not the broker."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        if file is not None and not file.parent.is_dir():
            raise BadInput(f"cannot write the status file {file}: there is no folder {file.parent}")

    def write(self, status: Status) -> None:
        if self._file is None:
            return
        draft = self._file.with_suffix(".draft")
        with contextlib.suppress(OSError):
            draft.write_bytes(msgspec.json.encode(status))
            draft.replace(self._file)
