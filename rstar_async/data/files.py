"""Rows in files: `.jsonl`, `.json`, `.parquet`, or datasets, saved by `datasets` or on the hub.

The name decides: `hf:openai/gsm8k@train` is the split `train` of a hub's dataset (or of a folder of
files); a folder or a name without a suffix is a saved dataset. Libraries are imported when needed.
"""

import contextlib
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

from rstar_async.errors import BadInput

Row: TypeAlias = dict[str, Any]
HUB = "hf:"
ROWS_AT_ONCE = 1000


def read_rows(source: str | Path) -> Iterator[tuple[str, Row]]:
    """Every row with its place in the file as text; `BadInput` names what cannot be read."""
    if str(source).startswith(HUB):
        return _hub_rows(str(source).removeprefix(HUB))
    path = Path(source)
    if path.is_dir():
        return _saved_rows(path)
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    return _json_rows(path) if path.suffix == ".json" else _jsonl_rows(path)


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write all rows atomically, replacing the old file, and return their number."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(draft)
        count = _writer(path)(draft, rows)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(draft, path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        _remove(draft)
    return count


def _writer(path: Path) -> Callable[[Path, Iterable[Row]], int]:
    writers = {".jsonl": _write_jsonl, ".json": _write_json, ".parquet": _write_parquet}
    if path.suffix == "" or path.is_dir():
        return _write_saved
    if path.suffix not in writers:
        raise BadInput(f"{path}: write .jsonl, .json, .parquet, or a folder without a suffix")
    return writers[path.suffix]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read problems from {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error}") from None


def _jsonl_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Line by line, because a file of trees may not fit into memory."""
    number = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}:{number}", _object(f"{path}:{number}", line)
    except OSError as error:
        raise BadInput(f"cannot read problems from {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}, after line {number}, is not UTF-8 text: {error}") from None


def _object(where: str, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}: not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected an object with a question and an answer")
    return row


def _json_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """A list, or `{"example": [...]}` as in the reference code."""
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    rows = document.get("example") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise BadInput(f'{path}: expected a list of problems, or {{"example": [...]}}')
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise BadInput(f"{path}, problem {number}: expected an object")
        yield f"{path}, problem {number}", row


def _parquet_rows(path: Path) -> Iterator[tuple[str, Row]]:
    parquet = _library("pyarrow.parquet", path)
    arrow = _library("pyarrow", path)
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    except (OSError, arrow.ArrowException) as error:
        raise BadInput(f"cannot read problems from {path}: {error}") from None


def _saved_rows(path: Path) -> Iterator[tuple[str, Row]]:
    datasets = _datasets(path)
    try:
        saved = datasets.load_from_disk(str(path))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is no dataset that `datasets` has saved: {error}") from None
    if isinstance(saved, datasets.DatasetDict):
        raise BadInput(f"{path} has the splits {', '.join(saved)}: give {path}/SPLIT")
    yield from _dataset_rows(str(path), saved)


def _hub_rows(name: str) -> Iterator[tuple[str, Row]]:
    place, _, split = name.partition("@")
    dataset_id, _, config = place.partition(":")
    datasets = _datasets(Path(name))
    try:
        found = datasets.load_dataset(dataset_id, config or None, split=split or "train")
    except Exception as error:  # the library's own errors, those of the hub, of HTTP, of the disk
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise BadInput(f"cannot load the dataset {HUB}{name}: {reason[0]}") from error
    yield from _dataset_rows(HUB + name, found)


def _dataset_rows(name: str, dataset: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    for number, row in enumerate(dataset, start=1):
        yield f"{name}, row {number}", row


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
    arrow, parquet = _library("pyarrow", path), _library("pyarrow.parquet", path)
    remaining = map(storable, rows)
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
    dataset = _datasets(path).Dataset.from_list([storable(row) for row in rows])
    dataset.save_to_disk(str(path))
    return len(dataset)


def storable(value: Any) -> Any:
    """`value` with what Arrow cannot hold, such as lone surrogates, replaced."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    return [storable(inner) for inner in value] if isinstance(value, list | tuple) else value


def peek(rows: Iterator[tuple[str, Row]]) -> tuple[Row, Iterator[tuple[str, Row]]]:
    """The first row, {} if there is none, and all rows again."""
    first = next(rows, None)
    return (first[1], chain([first], rows)) if first else ({}, rows)


def _datasets(path: Path) -> Any:
    datasets = _library("datasets", path)
    datasets.disable_progress_bars()
    return datasets


def _library(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise BadInput(
            f"{path}: this kind of file needs {name.partition('.')[0]}; "
            "it comes with `pip install 'rstar-async[train]'`"
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
