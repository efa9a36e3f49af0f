"""Runs, problems and rounds, for the round driver and the trainer."""

from collections.abc import Sequence

import sqlalchemy as sa

from storage.queries.select import matches, select_all, select_one
from storage.records import Problem, Round, Run, Split
from storage.tables import problems
from storage.tables import rounds as rounds_table
from storage.tables import runs as runs_table


def runs(connection: sa.Connection) -> list[Run]:
    """Oldest first."""
    return select_all(connection, Run, order=[runs_table.c.created_at, runs_table.c.id])


def run_by_id(connection: sa.Connection, run_id: str) -> Run | None:
    return select_one(connection, Run, runs_table.c.id == run_id)


def problem_by_id(connection: sa.Connection, problem_id: str) -> Problem | None:
    return select_one(connection, Problem, problems.c.id == problem_id)


def problems_of(
    connection: sa.Connection,
    run_id: str,
    split: Split | None = None,
    sources: Sequence[str] | None = None,
) -> list[Problem]:
    """In the order of their ids, a fixed order that is as good as random."""
    from_sources = sa.true() if sources is None else problems.c.source.in_(sources)
    where = (problems.c.run_id == run_id, matches(problems.c.split, split), from_sources)
    return select_all(connection, Problem, *where, order=[problems.c.id])


def rounds_of(connection: sa.Connection, run_id: str) -> list[Round]:
    return select_all(
        connection, Round, rounds_table.c.run_id == run_id, order=[rounds_table.c.number]
    )


def round_by_number(connection: sa.Connection, run_id: str, number: int) -> Round | None:
    where = (rounds_table.c.run_id == run_id, rounds_table.c.number == number)
    return select_one(connection, Round, *where)


def open_round(connection: sa.Connection, run_id: str) -> Round | None:
    """The first round that is not closed: where a restarted run goes on."""
    return _first_round(connection, run_id, rounds_table.c.status != "closed")


def round_awaiting_training(connection: sa.Connection, run_id: str) -> Round | None:
    """The first round that was searched and not yet trained on."""
    return _first_round(connection, run_id, rounds_table.c.status == "searched")


def _first_round(
    connection: sa.Connection, run_id: str, condition: sa.ColumnElement[bool]
) -> Round | None:
    where = (rounds_table.c.run_id == run_id, condition)
    return select_one(connection, Round, *where, order=[rounds_table.c.number])
