"""How records become SQL: which statement stores which record, and in which order.

New records are inserted, parents first, and skipped where they exist; then changes are written as
absolute values. So callers need not order their records, and writing twice changes nothing. With
the end of a search its sums are kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage import records, tables
from storage.records import Record
from storage.sums import keeping

RecordType: TypeAlias = type[msgspec.Struct]

FACTS: dict[RecordType, sa.Table] = {
    records.Run: tables.runs,
    records.Problem: tables.problems,
    records.Round: tables.rounds,
    records.ModelVersion: tables.model_versions,
    records.Search: tables.searches,
    records.Expansion: tables.expansions,
    records.Node: tables.nodes,
    records.Pair: tables.pairs,
    records.Evaluation: tables.evaluations,
    records.EvaluationAnswer: tables.evaluation_answers,
}

_PROGRESS_KEYS: dict[RecordType, tuple[sa.Table, dict[str, str]]] = {
    records.RoundProgress: (tables.rounds, {"run_id": "run_id", "number": "number"}),
    records.SearchProgress: (tables.searches, {"search_id": "id"}),
    records.ModelStanding: (tables.model_versions, {"model_id": "id"}),
    records.NodeStatistics: (tables.nodes, {"search_id": "search_id", "path": "path"}),
}

_KNOWN = FACTS.keys() | _PROGRESS_KEYS.keys()


class NothingToUpdate(Exception):
    """A change of a row that was never stored."""


def fields(record_type: RecordType) -> list[str]:
    return [field.name for field in msgspec.structs.fields(record_type)]


def columns(record_type: RecordType) -> list[sa.Column[Any]]:
    """The columns of a record's table in the order of its fields: `record_type(*row)` reads it."""
    return [FACTS[record_type].c[name] for name in fields(record_type)]


def insert_missing(table: sa.Table, dialect: str) -> sa.Insert:
    """Insert rows; those that exist already stay as they are."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _update(record_type: RecordType) -> sa.Update:
    table, keys = _PROGRESS_KEYS[record_type]
    new = {
        name: sa.bindparam(f"new_{name}", type_=table.c[keys.get(name, name)].type)
        for name in fields(record_type)
    }
    values: dict[str, Any] = {name: value for name, value in new.items() if name not in keys}
    if record_type is records.RoundProgress:
        values = {name: sa.func.coalesce(value, table.c[name]) for name, value in values.items()}
    match = [table.c[column] == new[name] for name, column in keys.items()]
    return table.update().where(*match).values(values)


_STATEMENTS: dict[str, dict[RecordType, sa.Insert | sa.Update]] = {
    dialect: {kind: insert_missing(table, dialect) for kind, table in FACTS.items()}
    | {kind: _update(kind) for kind in _PROGRESS_KEYS}
    for dialect in ("sqlite", "postgresql")
}


def store(connection: sa.Connection, stored: Iterable[Record]) -> None:
    """Write `stored` within the connection's transaction."""
    by_type: dict[RecordType, list[dict[str, Any]]] = defaultdict(list)
    for record in stored:
        by_type[type(record)].append(msgspec.structs.asdict(record))
    if unknown := by_type.keys() - _KNOWN:
        raise TypeError(f"no table stores {', '.join(kind.__name__ for kind in unknown)}")
    for record_type, statement in _STATEMENTS[connection.dialect.name].items():
        if rows := by_type.get(record_type):
            _execute(connection, record_type, statement, rows)
    if ended := _ended(by_type):
        keeping.keep(connection, ended)


def _ended(by_type: Mapping[RecordType, list[dict[str, Any]]]) -> list[str]:
    """The searches that these rows say are over."""
    return [
        row[id_]
        for kind, id_ in ((records.Search, "id"), (records.SearchProgress, "search_id"))
        for row in by_type.get(kind, ())
        if row["status"] in keeping.OVER
    ]


def _execute(
    connection: sa.Connection,
    record_type: RecordType,
    statement: sa.Insert | sa.Update,
    rows: list[dict[str, Any]],
) -> None:
    if record_type not in _PROGRESS_KEYS:
        connection.execute(statement, rows)
        return
    renamed = [{f"new_{name}": value for name, value in row.items()} for row in rows]
    if connection.execute(statement, renamed).rowcount < len(rows):
        raise NothingToUpdate(f"{record_type.__name__} of something that was never stored")
