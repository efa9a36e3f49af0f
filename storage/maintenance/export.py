"""Writing a store into a folder with one file for each table.

The files are one snapshot, also while a run goes on. JSON lines hold every value exactly and can be
read back (`imports`); CSV and Parquet are for other programs. The folder gets its name only when it
is complete.
"""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from rstar_async.errors import BadInput
from storage import migrations, statements, tables, views
from storage.maintenance.formats import FORMATS, Format

ROWS_AT_ONCE = 1000
MANIFEST = "export.json"

_EVERYTHING: dict[str, sa.Table] = {**tables.metadata.tables, **views.metadata.tables}


class Manifest(msgspec.Struct, frozen=True):
    """Stored beside the files: their format, the store's revision, rows by table."""

    format: Format
    revision: str
    rows: dict[str, int]


def export(
    connection: sa.Connection, folder: Path, kind: Format, names: Sequence[str] | None = None
) -> Manifest:
    """Write the tables of records, or those and views in `names`, into the new `folder`;
    `BadInput` if it exists."""
    chosen = _chosen(names)
    if folder.exists():
        raise BadInput(f"{folder} exists already; name a new folder")
    draft = folder.parent / f".{folder.name}-{uuid.uuid4().hex[:8]}"
    try:
        draft.mkdir(parents=True)
        counts = {
            table.name: FORMATS[kind](
                table, _pages(connection, table), draft / f"{table.name}.{kind}"
            )
            for table in chosen
        }
        manifest = Manifest(kind, migrations.latest(), counts)
        (draft / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        draft.rename(folder)
    except OSError as error:
        raise BadInput(f"cannot write {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _chosen(names: Sequence[str] | None) -> list[sa.Table]:
    if names is None:
        return list(statements.FACTS.values())
    if unknown := [name for name in names if name not in _EVERYTHING]:
        raise BadInput(f"there is no table {unknown[0]!r}; there are {', '.join(_EVERYTHING)}")
    return [_EVERYTHING[name] for name in names]


def _pages(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    columns = [column for column in table.columns if column.computed is None]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    streamed = connection.execution_options(yield_per=ROWS_AT_ONCE)
    for page in streamed.execute(query).mappings().partitions():
        yield [dict(row) for row in page]
