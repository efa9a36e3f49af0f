"""Reading rows: JSON lines, JSON, CSV, TSV, parquet, a saved dataset, or a dataset of a hub.

The name decides: `hf:openai/gsm8k@train` is the split `train` of a hub's dataset (or of a folder of
files); a folder is a saved dataset; a file without a suffix, such as a pipe, holds JSON lines.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from rstar_async.data.libraries import datasets_library, library
from rstar_async.data.rows import OnBad, Row, Rows, refuse
from rstar_async.data.text_rows import json_rows, jsonl_rows, table_rows
from rstar_async.errors import BadInput

HUB = "hf:"
ROWS_AT_ONCE = 1000


def read_rows(source: str | Path, on_bad: OnBad = refuse) -> Rows:
    """Every row with its place; `BadInput` names what cannot be read. See `rows` for `on_bad`."""
    if str(source).startswith(HUB):
        return _hub_rows(str(source).removeprefix(HUB))
    path = Path(source)
    if path.is_dir():
        return _saved_rows(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise BadInput(
            f"cannot read {path}: give a file of rows ({', '.join(filter(None, READERS))}), "
            "a folder with a saved dataset, or hf:NAME@SPLIT"
        )
    return reader(path, on_bad)


def peek(rows: Rows) -> tuple[Row, Rows]:
    """The first row, {} if there is none, and all rows again."""
    first = next(rows, None)
    return (first[1], chain([first], rows)) if first else ({}, rows)


def _parquet_rows(path: Path, _: OnBad) -> Rows:
    parquet = library("pyarrow.parquet", path)
    arrow = library("pyarrow", path)
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise BadInput(f"cannot read problems from {path}: {_reason(error)}") from None


def _saved_rows(path: Path) -> Rows:
    datasets = datasets_library(path)
    try:
        saved = datasets.load_from_disk(str(path))
    except Exception as error:  # the library's own errors, those of Arrow, of JSON, of the disk
        raise BadInput(
            f"{path} is no dataset that `datasets` has saved: {_reason(error)}"
        ) from None
    if isinstance(saved, datasets.DatasetDict):
        raise BadInput(f"{path} has the splits {', '.join(saved)}: give {path}/SPLIT")
    yield from _dataset_rows(str(path), saved)


def _hub_rows(name: str) -> Rows:
    place, _, split = name.partition("@")
    dataset_id, _, config = place.partition(":")
    datasets = datasets_library(Path(name))
    try:
        found = datasets.load_dataset(dataset_id, config or None, split=split or "train")
    except Exception as error:  # the library's own errors, those of the hub, of HTTP, of the disk
        raise BadInput(f"cannot load the dataset {HUB}{name}: {_reason(error)}") from error
    yield from _dataset_rows(HUB + name, found)


def _dataset_rows(name: str, dataset: Iterable[Row]) -> Rows:
    for number, row in enumerate(dataset, start=1):
        yield f"{name}, row {number}", row


def _reason(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


READERS: dict[str, Callable[[Path, OnBad], Rows]] = {
    "": jsonl_rows,
    ".jsonl": jsonl_rows,
    ".ndjson": jsonl_rows,
    ".json": json_rows,
    ".csv": table_rows,
    ".tsv": table_rows,
    ".parquet": _parquet_rows,
}
