"""Exports a stored round, or converts a training file, to a file in another format."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rstar_async.config import ProblemsConfig
from rstar_async.data.exporter import StoredRound
from rstar_async.data.files import HUB, READERS, peek, read_rows
from rstar_async.data.problems import problems_in
from rstar_async.data.reference import TREE
from rstar_async.data.schemas import (
    WRITERS,
    Comparison,
    Kind,
    Question,
    Solution,
)
from rstar_async.data.training_rows import read_row
from rstar_async.data.writing import write_rows
from rstar_async.errors import BadInput
from rstar_async.launch.run_folders import is_run
from rstar_async.sanitize import listed
from storage import queries
from storage.database import Database

# Either is in a folder that the library `datasets` saved.
SAVED_DATASET = ("dataset_info.json", "dataset_dict.json")

_KINDS: dict[type, Kind] = {Solution: "solution", Comparison: "preference"}


def export_round(
    round_: StoredRound, wanted: str, out: Path, per_problem: int, *, overwrite: bool = False
) -> int:
    """Write a stored round and return the number of rows."""
    kind, write = WRITERS[wanted]
    found: dict[Kind, Callable[[], Iterable[Any]]] = {
        "solution": lambda: round_.solutions(per_problem),
        "preference": round_.comparisons,
        "problem": round_.problems,
        "tree": round_.trees,
    }
    return write_rows(out, map(write, found[kind]()), overwrite=overwrite)


def convert_file(
    source: str, wanted: str, out: Path, columns: ProblemsConfig, *, overwrite: bool = False
) -> int:
    """Write the rows of a file in another format and return their number. `BadInput` if they are of
    another kind: preferences cannot be made of solutions."""
    kind, write = WRITERS[wanted]
    if kind == "problem":
        return write_rows(out, map(write, _problems(source, columns)), overwrite=overwrite)
    if kind == "tree":
        raise BadInput(f"{source}: trees come from a run; `rstar import` makes one of a tree file")
    return write_rows(out, map(write, _values(source, kind, wanted)), overwrite=overwrite)


def last_searched(database: Database, run_id: str) -> int:
    """The newest round that has finished trees."""
    for round_ in reversed(database.read(queries.rounds_of, run_id)):
        if database.read(queries.searches_of, run_id, round_.number, "train", "finished"):
            return round_.number
    raise BadInput(f"run {run_id!r} has no finished trees yet")


def is_file_of_rows(source: str) -> bool:
    """Whether `source` is a file or data set of rows, not the folder or the database of a run."""
    path = Path(source)
    if source.startswith(HUB):
        return True
    if path.is_dir():
        return not is_run(path) and any((path / name).is_file() for name in SAVED_DATASET)
    return "://" not in source and bool(path.suffix) and path.suffix.lower() in READERS


def _values(source: str, kind: Kind, wanted: str) -> Iterator[Solution | Comparison]:
    first, rows = peek(read_rows(source))
    if TREE in first:
        raise BadInput(f"{source}: holds trees; `rstar import {source} HOME` first")
    for where, row in rows:
        value = read_row(row, where)
        if value is None or _KINDS[type(value)] != kind:
            raise BadInput(f"{where}: {wanted} cannot be made of the columns {listed(row)}")
        yield value


def _problems(source: str, columns: ProblemsConfig) -> Iterator[Question]:
    for found in problems_in("", source, columns, "train"):
        yield Question(found.question, found.answer, found.level, found.kind)
