"""Sums over a round: its report and its progress."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from storage.queries.select import count_where, of_round, total
from storage.queries.sums import answers_of_search, of_search, sums_in_round, with_sums
from storage.records import Purpose
from storage.sums.adding import SearchSums
from storage.tables import pairs, searches


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
    found = _row(connection, _search_sums(), of_round(run_id, number, purpose))
    searched = [each.sums for each in sums_in_round(connection, run_id, number, purpose)]
    outcomes = _outcomes(searched)
    cached = sum(sums.cached_tokens for sums in searched)
    reachable = sum(sums.reachable_tokens for sums in searched)
    return RoundReport(
        **found,
        nodes=sum(sums.nodes for sums in searched),
        new_tokens=sum(sums.new_tokens for sums in searched),
        prompt_tokens=sum(sums.prompt_tokens for sums in searched),
        cached_tokens=cached,
        reachable_tokens=reachable,
        cached_share=cached / reachable if reachable else None,
        code_runs=sum(outcomes.values()),
        outcomes=outcomes,
        shared_runs=sum(sums.shared_runs for sums in searched),
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
    query = (
        sa.select(
            searches.c.problem_id,
            total(answers_of_search("right_answers", right=True)),
            total(answers_of_search("wrong_answers", right=False)),
        )
        .select_from(with_sums)
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
    names = ("nodes", "new_tokens")
    return (
        sa.select(*(total(of_search(name)).label(name) for name in names))
        .select_from(with_sums)
        .where(searches.c.status != "waiting")
    )


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


def _row(
    connection: sa.Connection, query: sa.Select[Any], chosen: sa.ColumnElement[bool]
) -> dict[str, Any]:
    return dict(connection.execute(query.where(chosen)).mappings().one())


def _outcomes(searched: Iterable[SearchSums]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for sums in searched:
        found.update(sums.counts.get("code", {}))
    return dict(sorted(found.items()))


def _pairs_by_split(connection: sa.Connection, run_id: str, number: int) -> dict[str, int]:
    query = (
        sa.select(pairs.c.split, sa.func.count())
        .where(pairs.c.run_id == run_id, pairs.c.round == number)
        .group_by(pairs.c.split)
        .order_by(pairs.c.split)
    )
    return dict(connection.execute(query).all())
