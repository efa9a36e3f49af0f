"""Sums over a round: its report and its progress."""

from typing import Any

import msgspec
import sqlalchemy as sa

from storage.queries.select import count_where, of_round, total
from storage.records import Purpose
from storage.tables import expansions, nodes, pairs, searches
from storage.views import code_outcomes


class RoundReport(msgspec.Struct, frozen=True):
    """Sums over the searches of a round. `nodes` leaves the roots out, `problems` those all of
    whose searches failed.

    `cached_share` is the served part of what a perfect prefix cache could have served; None if
    that is nothing. `outcomes` counts code runs by their status; `shared_runs` of them took the
    result of an equivalent program instead of running.
    """

    problems: int
    solved: int
    searches: int
    nodes: int
    new_tokens: int
    prompt_tokens: int
    cached_tokens: int
    reachable_tokens: int
    cached_share: float | None
    code_runs: int
    outcomes: dict[str, int]
    shared_runs: int
    pairs: dict[str, int]
    search_seconds: float


class Progress(msgspec.Struct, frozen=True):
    """How far a round is; cheap enough to be read every second."""

    searches: int
    waiting: int
    running: int
    finished: int
    failed: int
    solved: int
    expansions: int
    nodes: int
    new_tokens: int


class AnswerCounts(msgspec.Struct, frozen=True):
    """The decided answers of all searches of one problem in one round."""

    problem_id: str
    right: int
    wrong: int


_STATUSES = ("waiting", "running", "finished", "failed")


def round_report(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose = "train"
) -> RoundReport:
    chosen = of_round(run_id, number, purpose)
    found = _row(connection, _search_sums(), chosen)
    spent = _row(connection, _expansion_sums(), chosen)
    outcomes = _outcomes(connection, run_id, number, purpose)
    reachable = spent["reachable_tokens"]
    return RoundReport(
        **found,
        **spent,
        nodes=_count_nodes(connection, chosen),
        cached_share=spent["cached_tokens"] / reachable if reachable else None,
        code_runs=sum(outcomes.values()),
        outcomes=outcomes,
        shared_runs=_count_shared(connection, chosen),
        pairs=_pairs_by_split(connection, run_id, number),
    )


def progress(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose = "train"
) -> Progress:
    chosen = of_round(run_id, number, purpose)
    rows = connection.execute(_sums_by_status().where(chosen)).all()
    by_status = {row.status: row.searches for row in rows}
    return Progress(
        searches=sum(by_status.values()),
        **{status: by_status.get(status, 0) for status in _STATUSES},
        solved=sum(row.solved for row in rows),
        expansions=sum(row.expansions for row in rows),
        **_row(connection, _growth(), chosen),
    )


def answer_counts(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose = "train"
) -> list[AnswerCounts]:
    """Of every problem that was searched, by its id; 0 and 0 where nothing was answered. What only
    failed searches say nothing of is left out."""
    is_answer = sa.and_(nodes.c.search_id == searches.c.id, nodes.c.status == "answer")
    query = (
        sa.select(
            searches.c.problem_id,
            count_where(nodes.c.correct.is_(sa.true())),
            count_where(nodes.c.correct.is_(sa.false())),
        )
        .select_from(searches.outerjoin(nodes, is_answer))
        .where(of_round(run_id, number, purpose), searches.c.status != "failed")
        .group_by(searches.c.problem_id)
        .order_by(searches.c.problem_id)
    )
    return [AnswerCounts(*row) for row in connection.execute(query)]


def _sums_by_status() -> sa.Select[Any]:
    return sa.select(
        searches.c.status,
        sa.func.count().label("searches"),
        count_where(searches.c.solved.is_(sa.true())).label("solved"),
        total(searches.c.expansions).label("expansions"),
    ).group_by(searches.c.status)


def _growth() -> sa.Select[Any]:
    """Read from an index of `expansions` alone: the nodes themselves are ten times as many."""
    return sa.select(
        total(expansions.c.unique_samples).label("nodes"),
        total(expansions.c.new_tokens).label("new_tokens"),
    ).select_from(expansions.join(searches))


def _search_sums() -> sa.Select[Any]:
    was_searched = searches.c.status != "failed"
    problem = sa.case((was_searched, searches.c.problem_id)).distinct()
    solved = sa.case((searches.c.solved.is_(sa.true()), searches.c.problem_id)).distinct()
    return sa.select(
        sa.func.count(problem).label("problems"),
        sa.func.count(solved).label("solved"),
        sa.func.count().label("searches"),
        total(searches.c.seconds).label("search_seconds"),
    ).select_from(searches)


def _expansion_sums() -> sa.Select[Any]:
    names = ("new_tokens", "prompt_tokens", "cached_tokens", "reachable_tokens")
    sums = [total(expansions.c[name]).label(name) for name in names]
    return sa.select(*sums).select_from(expansions.join(searches))


def _row(
    connection: sa.Connection, query: sa.Select[Any], chosen: sa.ColumnElement[bool]
) -> dict[str, Any]:
    return dict(connection.execute(query.where(chosen)).mappings().one())


def _count_nodes(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(nodes.join(searches))
    return connection.scalar(query.where(chosen, nodes.c.depth > 0)) or 0


def _count_shared(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> int:
    """A success without CPU time took the result of an equivalent program."""
    query = sa.select(sa.func.count()).select_from(nodes.join(searches))
    shared = (nodes.c.exec_status == "ok", nodes.c.cpu_seconds == 0)
    return connection.scalar(query.where(chosen, *shared)) or 0


def _outcomes(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose
) -> dict[str, int]:
    view = code_outcomes.c
    query = (
        sa.select(view.exec_status, view.nodes)
        .where(view.run_id == run_id, view.round == number, view.purpose == purpose)
        .order_by(view.exec_status)
    )
    return _counts(connection, query)


def _pairs_by_split(connection: sa.Connection, run_id: str, number: int) -> dict[str, int]:
    query = (
        sa.select(pairs.c.split, sa.func.count())
        .where(pairs.c.run_id == run_id, pairs.c.round == number)
        .group_by(pairs.c.split)
        .order_by(pairs.c.split)
    )
    return _counts(connection, query)


def _counts(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, int]:
    return dict(connection.execute(query).all())
