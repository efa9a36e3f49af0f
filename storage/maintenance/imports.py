"""Reading an export back, into an empty store or one with other runs; also across databases.

Rows become the records they were written from, so an import checks everything that a commit checks.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rstar_async.errors import BadInput
from rstar_async.sanitize import checked_name, from_json, one_line
from storage import migrations, statements
from storage.database import Database
from storage.errors import BadRecord
from storage.maintenance.export import MANIFEST, Manifest
from storage.records import ModelVersion
from storage.statements import RecordType
from storage.sums.keeping import keep_missing

ROWS_AT_ONCE = 2000


def read_back(database: Database, folder: Path) -> dict[str, int]:
    """Store the rows in `folder` and return their number by table; existing rows stay as they are.

    `BadInput` unless it is an export in JSON lines of this schema. Every line is checked before the
    first is stored.
    """
    manifest = _manifest(folder)
    files = {
        kind: folder / f"{table.name}.jsonl"
        for kind, table in statements.FACTS.items()
        if table.name in manifest.rows
    }
    for kind, file in files.items():
        for _ in _records(file, kind):
            pass
    rows = {file.stem: _store(database, file, kind) for kind, file in files.items()}
    keep_missing(database)
    return rows


def _manifest(folder: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, RecursionError):
        raise BadInput(f"{folder} was not made by `rstar db export`") from None
    if manifest.format != "jsonl":
        raise BadInput(f"{folder} is an export in {manifest.format}; only jsonl can be read back")
    if manifest.revision != migrations.latest():
        raise BadInput(
            f"{folder} was exported at schema {manifest.revision} and this is "
            f"{migrations.latest()}: `rstar db upgrade` its store and export it again"
        )
    return manifest


def _store(database: Database, file: Path, kind: RecordType) -> int:
    count = 0
    records = _records(file, kind)
    while page := list(itertools.islice(records, ROWS_AT_ONCE)):
        try:
            database.commit(*page)
        except BadRecord as error:
            last = count + len(page)
            raise BadInput(f"{file} lines {count + 1} to {last}: {error}") from error
        count += len(page)
    return count


def _records(file: Path, kind: RecordType) -> Iterator[Any]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield _record(file, number, line, kind)
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None


def _record(file: Path, number: int, line: bytes, kind: RecordType) -> Any:
    try:
        # Unlike msgspec, the standard library's reader accepts lone surrogates.
        record = msgspec.convert(from_json(line), kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadInput(f"{file} line {number}: {one_line(str(error))}") from None
    if isinstance(record, ModelVersion):
        _check_folder_name(file, number, record.id)
    return record


def _check_folder_name(file: Path, number: int, model: str) -> None:
    """A model's id names its folder, so it must not lead to another one."""
    try:
        checked_name(model)
    except BadInput as error:
        raise BadInput(f"{file} line {number}: {error}") from None
