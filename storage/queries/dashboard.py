"""Rounds and problems for the web page: sums and pages.

Filters and orders are values of closed types; text from outside is always a bound parameter.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import sqlalchemy as sa

from storage import statements
from storage.queries.select import count_where, matches, select_all, total
from storage.queries.sums import first_right, of_search, with_sums
from storage.records import Problem, Purpose, Search
from storage.tables import problems, searches

ProblemState: TypeAlias = Literal["solved", "unsolved", "running", "failed"]
ProblemOrder: TypeAlias = Literal[
    "problem", "late", "question", "kind", "level", "rounds", "found", "tokens", "nodes", "seconds"
]
Direction: TypeAlias = Literal["up", "down"]


class SearchTotals(msgspec.Struct, frozen=True):
    """Sums over the searches of one round and purpose."""

    round: int
    purpose: Purpose
    searches: int
    waiting: int
    running: int
    finished: int
    failed: int
    solved: int
    expansions: int
    seconds: float


class TokenTotals(msgspec.Struct, frozen=True):
    """Sums over the expansions of one round and purpose; roots are not counted."""

    round: int
    purpose: Purpose
    nodes: int
    new_tokens: int


class Facet(msgspec.Struct, frozen=True):
    """How many problems share a kind, level and source."""

    kind: str
    level: str
    source: str
    problems: int


class ProblemFilter(msgspec.Struct, frozen=True):
    """Which problems; None is any. `unsolved`: a search has finished, and none found the answer."""

    round: int | None = None
    purpose: Purpose = "train"
    kind: str | None = None
    level: str | None = None
    state: ProblemState | None = None
    text: str | None = None


class SearchSummary(msgspec.Struct, frozen=True):
    """One search of a problem, with its sums so far.

    `first_right` is the number of the expansion that first found a right answer.
    """

    search: Search
    nodes: int
    new_tokens: int
    first_right: int | None


class ProblemWithSearches(msgspec.Struct, frozen=True):
    """A problem and all its searches of one purpose, by round."""

    problem: Problem
    searches: list[SearchSummary]


def search_totals(connection: sa.Connection, run_id: str) -> list[SearchTotals]:
    """By round, then purpose."""
    table = searches.c
    statuses = ("waiting", "running", "finished", "failed")
    query = (
        sa.select(
            table.round,
            table.purpose,
            sa.func.count(),
            *(count_where(table.status == status) for status in statuses),
            count_where(table.solved.is_(sa.true())),
            total(table.expansions),
            total(table.seconds),
        )
        .where(table.run_id == run_id)
        .group_by(table.round, table.purpose)
        .order_by(table.round, table.purpose)
    )
    return [SearchTotals(*row) for row in connection.execute(query)]


def token_totals(connection: sa.Connection, run_id: str, number: int) -> list[TokenTotals]:
    """Of one round, by purpose."""
    table = searches.c
    sums = (total(of_search("nodes")), total(of_search("new_tokens")))
    query = (
        sa.select(table.round, table.purpose, *sums)
        .select_from(with_sums)
        .where(table.run_id == run_id, table.round == number, table.status != "waiting")
        .group_by(table.round, table.purpose)
        .order_by(table.purpose)
    )
    return [TokenTotals(*row) for row in connection.execute(query)]


def facets(connection: sa.Connection, run_id: str) -> list[Facet]:
    """Kinds, levels and sources of a run's problems."""
    columns = (problems.c.kind, problems.c.level, problems.c.source)
    query = (
        sa.select(*columns, sa.func.count())
        .where(problems.c.run_id == run_id)
        .group_by(*columns)
        .order_by(*columns)
    )
    return [Facet(*row) for row in connection.execute(query)]


def problem_page(
    connection: sa.Connection,
    run_id: str,
    wanted: ProblemFilter,
    order: ProblemOrder = "problem",
    offset: int = 0,
    limit: int = 50,
    direction: Direction | None = None,
) -> tuple[int, list[ProblemWithSearches]]:
    """How many there are, and a page of them. Problems without a search are left out."""
    chosen = _chosen_problems(run_id, wanted)
    total = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    page = chosen.order_by(*_problem_order(order, direction)).limit(limit).offset(offset)
    ids = [row.id for row in connection.execute(page)]
    return total, _problems_with_searches(connection, ids, wanted.purpose)


def searches_of_problem(
    connection: sa.Connection, problem_id: str, purpose: Purpose
) -> list[SearchSummary]:
    """By round."""
    return _searches(connection, [problem_id], purpose)[problem_id]


def _chosen_problems(run_id: str, wanted: ProblemFilter) -> sa.Select[Any]:
    """One row for each problem that has a search."""
    table = searches.c
    query = (
        sa.select(problems.c.id)
        .select_from(with_sums.join(problems, problems.c.id == table.problem_id))
        .where(table.run_id == run_id, table.purpose == wanted.purpose)
        .where(matches(table.round, wanted.round))
        .where(
            matches(problems.c.kind, wanted.kind),
            matches(problems.c.level, wanted.level),
        )
        .group_by(problems.c.id)
        .having(_in_state(wanted.state))
    )
    if wanted.text:
        query = query.where(problems.c.question.icontains(wanted.text, autoescape=True))
    return query


def _in_state(state: ProblemState | None) -> sa.ColumnElement[bool]:
    solved = count_where(searches.c.solved.is_(sa.true()))
    if state is None:
        return sa.true()
    if state == "solved":
        return solved > 0
    if state == "unsolved":
        return sa.and_(solved == 0, count_where(searches.c.status == "finished") > 0)
    return count_where(searches.c.status == state) > 0


def _problem_order(order: ProblemOrder, direction: Direction | None) -> list[sa.ColumnElement[Any]]:
    """Words go up and figures down unless `direction` says otherwise; what is missing stands last.

    `late`: solved rounds after the first try, then late within the search; `found`: the share of
    expansions that were made before a right answer.
    """
    solved_in = sa.func.min(sa.case((searches.c.solved.is_(sa.true()), searches.c.round)))
    made = sa.func.nullif(searches.c.expansions, 0) * 1.0
    by: dict[ProblemOrder, tuple[Direction, list[Any]]] = {
        "problem": ("up", []),
        "late": ("down", [solved_in - sa.func.min(searches.c.round), sa.func.max(first_right())]),
        "question": ("up", [sa.func.min(problems.c.question)]),
        "kind": ("up", [sa.func.max(problems.c.kind)]),
        "level": ("down", [sa.func.max(problems.c.level)]),
        "rounds": ("down", [sa.func.count()]),
        "found": ("down", [sa.func.max(first_right() / made)]),
        "tokens": ("down", [sa.func.sum(of_search("new_tokens"))]),
        "nodes": ("down", [sa.func.sum(of_search("nodes"))]),
        "seconds": ("down", [sa.func.sum(searches.c.seconds)]),
    }
    usual, values = by[order]
    down = (direction or usual) == "down"
    ordered = [(value.desc() if down else value.asc()).nulls_last() for value in values]
    return [*ordered, problems.c.id]


def _problems_with_searches(
    connection: sa.Connection, ids: Sequence[str], purpose: Purpose
) -> list[ProblemWithSearches]:
    """In the order of `ids`."""
    found = {p.id: p for p in select_all(connection, Problem, problems.c.id.in_(ids), order=[])}
    searched = _searches(connection, ids, purpose)
    return [ProblemWithSearches(found[problem_id], searched[problem_id]) for problem_id in ids]


def _searches(
    connection: sa.Connection, ids: Sequence[str], purpose: Purpose
) -> dict[str, list[SearchSummary]]:
    """The searches of each problem, by round."""
    tried: dict[str, list[SearchSummary]] = {problem_id: [] for problem_id in ids}
    query = (
        sa.select(
            *statements.columns(Search),
            of_search("nodes"),
            of_search("new_tokens"),
            first_right(),
        )
        .select_from(with_sums)
        .where(searches.c.problem_id.in_(ids), searches.c.purpose == purpose)
        .order_by(searches.c.round, searches.c.id)
    )
    for *fields, made, spent, first in connection.execute(query):
        search = Search(*fields)
        tried[search.problem_id].append(SearchSummary(search, made, spent, first))
    return tried
