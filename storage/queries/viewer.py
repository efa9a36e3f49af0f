"""What the web page asks: pages and sums, each bounded in what it reads or in what it returns.

Conditions and orders are values of closed types; text from outside is only ever a bound parameter.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import sqlalchemy as sa

from storage import statements
from storage.column_types import ForeignText
from storage.queries.reading import all_of, given
from storage.records import Node, NodeStatus, Pair, PairKind, Problem, Purpose, Search, Split
from storage.tables import expansions, nodes, pairs, problems, searches

SNIPPET = 160

ProblemState: TypeAlias = Literal["solved", "unsolved", "late", "running", "failed"]
ProblemOrder: TypeAlias = Literal["problem", "late", "tokens", "level", "kind", "seconds"]


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
    """Which problems; None is any. `late`: solved, but not in the first round that tried."""

    round: int | None = None
    purpose: Purpose = "train"
    kind: str | None = None
    level: str | None = None
    state: ProblemState | None = None
    text: str | None = None


class TriedSearch(msgspec.Struct, frozen=True):
    """One search of a problem, with the tokens sampled so far."""

    search: Search
    nodes: int
    new_tokens: int


class TriedProblem(msgspec.Struct, frozen=True):
    """A problem and all its searches of one purpose, by round."""

    problem: Problem
    searches: list[TriedSearch]


class TreeNode(msgspec.Struct, frozen=True):
    """What a drawing of the tree needs of a node; `snippet` is the beginning of its text."""

    path: str
    expansion: int
    status: NodeStatus
    correct: bool | None
    answer: str
    multiplicity: int
    prior: float | None
    visits: int
    value_sum: float
    exec_status: str
    snippet: str


class PairWithNodes(msgspec.Struct, frozen=True):
    """A preference and both its steps."""

    pair: Pair
    chosen: Node
    rejected: Node


def search_totals(connection: sa.Connection, run_id: str) -> list[SearchTotals]:
    """By round, then purpose."""
    table = searches.c
    statuses = ("waiting", "running", "finished", "failed")
    query = (
        sa.select(
            table.round,
            table.purpose,
            sa.func.count(),
            *(_count_where(table.status == status) for status in statuses),
            _count_where(table.solved.is_(sa.true())),
            _sum(table.expansions),
            _sum(table.seconds),
        )
        .where(table.run_id == run_id)
        .group_by(table.round, table.purpose)
        .order_by(table.round, table.purpose)
    )
    return [SearchTotals(*row) for row in connection.execute(query)]


def token_totals(connection: sa.Connection, run_id: str, number: int) -> list[TokenTotals]:
    """Of one round, by purpose; read from an index of `expansions` alone."""
    table = searches.c
    query = (
        sa.select(
            table.round,
            table.purpose,
            _sum(expansions.c.unique_samples),
            _sum(expansions.c.new_tokens),
        )
        .select_from(expansions.join(searches))
        .where(table.run_id == run_id, table.round == number)
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
) -> tuple[int, list[TriedProblem]]:
    """How many there are, and a page of them. Problems that no search has tried are left out."""
    chosen = _chosen_problems(run_id, wanted)
    total = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    page = chosen.order_by(*_problem_order(order)).limit(limit).offset(offset)
    ids = [row.id for row in connection.execute(page)]
    return total, _tried(connection, ids, wanted.purpose)


def searches_of_problem(
    connection: sa.Connection, problem_id: str, purpose: Purpose
) -> list[TriedSearch]:
    """By round."""
    (found,) = _tried(connection, [problem_id], purpose) or (None,)
    return found.searches if found else []


def tree_page(
    connection: sa.Connection, search_id: str, since: int = -1, after: str = "", limit: int = 1000
) -> list[TreeNode]:
    """Nodes made after expansion `since`, from path `after` on in the order of paths.

    Parents come before their children; an expansion that was committed is seen whole.
    """
    names = [field.name for field in msgspec.structs.fields(TreeNode)][:-1]
    snippet: Any = sa.func.substr(nodes.c.text, 1, SNIPPET, type_=ForeignText())
    query = (
        sa.select(*(nodes.c[name] for name in names), snippet)
        .where(nodes.c.search_id == search_id, nodes.c.path > after, nodes.c.expansion > since)
        .order_by(nodes.c.path)
        .limit(limit)
    )
    return [TreeNode(*row) for row in connection.execute(query)]


def statistics_page(
    connection: sa.Connection, search_id: str, after: str = "", limit: int = 5000
) -> list[tuple[str, int, float]]:
    """Path, N and W of the visited nodes, in the order of paths."""
    query = (
        sa.select(nodes.c.path, nodes.c.visits, nodes.c.value_sum)
        .where(nodes.c.search_id == search_id, nodes.c.path > after, nodes.c.visits > 0)
        .order_by(nodes.c.path)
        .limit(limit)
    )
    return [(row.path, row.visits, row.value_sum) for row in connection.execute(query)]


def matching_paths(
    connection: sa.Connection, search_id: str, text: str, limit: int = 500
) -> list[str]:
    """Nodes whose step, output or error contains `text`, upper and lower case alike."""
    parts = nodes.c
    haystacks = (parts.text, parts.observation, parts.stdout, parts.exec_error)
    query = (
        sa.select(parts.path)
        .where(parts.search_id == search_id)
        .where(sa.or_(*(column.icontains(text, autoescape=True) for column in haystacks)))
        .order_by(parts.path)
        .limit(limit)
    )
    return list(connection.scalars(query))


def pair_page(
    connection: sa.Connection,
    run_id: str,
    number: int,
    *,
    kind: PairKind | None = None,
    split: Split | None = None,
    search_id: str | None = None,
    offset: int = 0,
    limit: int = 20,
) -> list[PairWithNodes]:
    """Preferences of a round with their steps, those of one tree together."""
    where = (
        pairs.c.run_id == run_id,
        pairs.c.round == number,
        given(pairs.c.kind, kind),
        given(pairs.c.split, split),
        given(pairs.c.search_id, search_id),
    )
    order = [pairs.c.search_id, pairs.c.chosen_path, pairs.c.rejected_path, pairs.c.kind]
    found = all_of(connection, Pair, *where, order=order, limit=limit, offset=offset)
    steps = _nodes_at(connection, [(p.search_id, p.chosen_path) for p in found])
    steps |= _nodes_at(connection, [(p.search_id, p.rejected_path) for p in found])
    return [
        PairWithNodes(
            pair, steps[pair.search_id, pair.chosen_path], steps[pair.search_id, pair.rejected_path]
        )
        for pair in found
    ]


def _nodes_at(
    connection: sa.Connection, places: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Node]:
    at = sa.tuple_(nodes.c.search_id, nodes.c.path).in_(places)
    found = all_of(connection, Node, at, order=[nodes.c.search_id])
    return {(node.search_id, node.path): node for node in found}


def _chosen_problems(run_id: str, wanted: ProblemFilter) -> sa.Select[Any]:
    """One row for each problem that a search tried."""
    table = searches.c
    query = (
        sa.select(problems.c.id)
        .select_from(searches.join(problems))
        .where(table.run_id == run_id, table.purpose == wanted.purpose)
        .where(given(table.round, wanted.round))
        .where(given(problems.c.kind, wanted.kind), given(problems.c.level, wanted.level))
        .group_by(problems.c.id)
        .having(_in_state(wanted.state))
    )
    if wanted.text:
        query = query.where(problems.c.question.icontains(wanted.text, autoescape=True))
    return query


def _in_state(state: ProblemState | None) -> sa.ColumnElement[bool]:
    solved = _count_where(searches.c.solved.is_(sa.true()))
    if state is None:
        return sa.true()
    if state == "late":
        return _FIRST_SOLVED > sa.func.min(searches.c.round)
    if state == "solved":
        return solved > 0
    if state == "unsolved":
        return sa.and_(solved == 0, _count_where(searches.c.status == "finished") > 0)
    return _count_where(searches.c.status == state) > 0


_FIRST_SOLVED: sa.ColumnElement[Any] = sa.func.min(
    sa.case((searches.c.solved.is_(sa.true()), searches.c.round))
)


def _problem_order(order: ProblemOrder) -> list[sa.ColumnElement[Any]]:
    spent = (
        sa.select(sa.func.sum(expansions.c.new_tokens))
        .where(expansions.c.search_id == searches.c.id)
        .scalar_subquery()
    )
    orders: dict[ProblemOrder, list[sa.ColumnElement[Any]]] = {
        "problem": [],
        "late": [
            _FIRST_SOLVED.desc().nulls_last(),
            sa.func.max(searches.c.expansions).desc(),
        ],
        "tokens": [sa.func.sum(spent).desc().nulls_last()],
        "level": [sa.func.max(problems.c.level).desc()],
        "kind": [sa.func.max(problems.c.kind)],
        "seconds": [sa.func.sum(searches.c.seconds).desc()],
    }
    return [*orders[order], problems.c.id]


def _tried(connection: sa.Connection, ids: Sequence[str], purpose: Purpose) -> list[TriedProblem]:
    """In the order of `ids`."""
    found = {p.id: p for p in all_of(connection, Problem, problems.c.id.in_(ids), order=[])}
    tried: dict[str, list[TriedSearch]] = {problem_id: [] for problem_id in ids}
    query = (
        sa.select(
            *statements.columns(Search),
            _of_search(expansions.c.unique_samples),
            _of_search(expansions.c.new_tokens),
        )
        .where(searches.c.problem_id.in_(ids), searches.c.purpose == purpose)
        .order_by(searches.c.round, searches.c.id)
    )
    for *fields, made, spent in connection.execute(query):
        search = Search(*fields)
        tried[search.problem_id].append(TriedSearch(search, made, spent))
    return [TriedProblem(found[problem_id], tried[problem_id]) for problem_id in ids]


def _of_search(column: Any) -> sa.ScalarSelect[Any]:
    return sa.select(_sum(column)).where(expansions.c.search_id == searches.c.id).scalar_subquery()


def _count_where(condition: Any) -> sa.ColumnElement[Any]:
    return _sum(sa.case((condition, 1), else_=0))


def _sum(value: Any) -> sa.ColumnElement[Any]:
    """0 for no rows, and of the kind it sums: PostgreSQL makes bigints numeric."""
    return sa.cast(sa.func.coalesce(sa.func.sum(value), 0), value.type)
