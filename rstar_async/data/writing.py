"""Writing rows into files: `.jsonl`, `.json`, `.parquet`, or a folder that `datasets` loads.

Lone surrogates, which other programs' readers stop at, are replaced.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path

from rstar_async.data.libraries import datasets_library, library
from rstar_async.data.owned_folders import MARKER, is_owned, remove_owned
from rstar_async.data.rows import Row
from rstar_async.errors import BadInput
from rstar_async.sanitize import encodable

ROWS_AT_ONCE = 1000
WRITTEN = (".jsonl", ".json", ".parquet")


def write_rows(path: Path, rows: Iterable[Row], *, overwrite: bool = False) -> int:
    """Write all rows or nothing, and return their number; `BadInput` if there are none.

    An existing file is replaced only with `overwrite`, an existing folder only if it was written
    here too; `BadInput` otherwise, and everything stays as it is.
    """
    write = _writer(path)
    _check_target(path, overwrite)
    remaining = iter(rows)
    first = list(islice(remaining, 1))
    if not first:
        raise BadInput(f"{path} was not written: there are no rows for it")
    draft_folder: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft_folder = Path(tempfile.mkdtemp(prefix=".rstar-", dir=path.parent))
        (draft_folder / MARKER).touch()
        draft = draft_folder / path.name
        count = write(draft, map(encodable, chain(first, remaining)))
        if is_owned(path):
            os.rename(path, draft_folder / "replaced")
        os.replace(draft, path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if draft_folder is not None:
            remove_owned(draft_folder)
    return count


def _check_target(path: Path, overwrite: bool) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if path.is_dir() and not is_owned(path):
        raise BadInput(f"{path} is a folder that was not exported here; give another name")
    if not path.is_dir() and path.suffix not in WRITTEN:
        raise BadInput(f"{path} exists and is no file of rows; give another name")
    if not overwrite:
        raise BadInput(f"{path} exists; give another name, or --overwrite to replace it")


def _writer(path: Path) -> Callable[[Path, Iterable[Row]], int]:
    writers = {".jsonl": _write_jsonl, ".json": _write_json, ".parquet": _write_parquet}
    if path.suffix == "" or path.is_dir():
        return _write_saved
    if path.suffix not in writers:
        raise BadInput(f"{path}: write .jsonl, .json, .parquet, or a folder without a suffix")
    return writers[path.suffix]


def _write_jsonl(path: Path, rows: Iterable[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def _write_json(path: Path, rows: Iterable[Row]) -> int:
    listed = list(rows)
    path.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    return len(listed)


def _write_parquet(path: Path, rows: Iterable[Row]) -> int:
    arrow, parquet = library("pyarrow", path), library("pyarrow.parquet", path)
    remaining = iter(rows)
    table = arrow.Table.from_pylist(list(islice(remaining, ROWS_AT_ONCE)))
    count = 0
    with parquet.ParquetWriter(path, table.schema) as writer:
        while len(table):
            writer.write_table(table)
            count += len(table)
            more = list(islice(remaining, ROWS_AT_ONCE))
            table = arrow.Table.from_pylist(more, schema=table.schema)
    return count


def _write_saved(path: Path, rows: Iterable[Row]) -> int:
    dataset = datasets_library(path).Dataset.from_list(list(rows))
    dataset.save_to_disk(str(path))
    (path / MARKER).touch()
    return len(dataset)
