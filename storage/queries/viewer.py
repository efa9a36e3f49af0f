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
from storage.views import trajectories

SNIPPET = 160

ProblemState: TypeAlias = Literal["solved", "unsolved", "running", "failed"]
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
    """Which problems; None is any. `unsolved`: searched to the end, in vain."""

    round: int | None = None
    purpose: Purpose = "train"
    kind: str | None = None
    level: str | None = None
    state: ProblemState | None = None
    text: str | None = None


class TriedSearch(msgspec.Struct, frozen=True):
    """One search of a problem, with its sums so far.

    `first_right` is the number of the expansion that first found a right answer.
    """

    search: Search
    nodes: int
    new_tokens: int
    first_right: int | None


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


class RankedAnswer(msgspec.Struct, frozen=True):
    """One answer and how its search thought of the way to it."""

    search_id: str
    path: str
    problem_id: str
    question: str
    answer: str
    depth: int
    mean_q: float
    min_q: float


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
    (found,) = _tried(connection, [problem_id], purpose)
    return found.searches


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
    chosen, rejected = nodes.alias("chosen"), nodes.alias("rejected")
    names = statements.fields(Node)
    query = (
        sa.select(
            *statements.columns(Pair),
            *(chosen.c[name] for name in names),
            *(rejected.c[name] for name in names),
        )
        .join(chosen, _at(chosen, pairs.c.chosen_path))
        .join(rejected, _at(rejected, pairs.c.rejected_path))
        .where(*where)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [_pair_with_nodes(tuple(row), len(names)) for row in connection.execute(query)]


def ranked_answers(
    connection: sa.Connection,
    run_id: str,
    number: int,
    *,
    correct: bool,
    worst: bool,
    limit: int = 1000,
) -> list[RankedAnswer]:
    """One right (or wrong) answer a problem of a training round, by mean Q.

    Reads every such answer of the round with its path to the root: seconds for a million nodes.
    """
    view = trajectories.c
    by_q = view.mean_q if worst else view.mean_q.desc()
    place = sa.func.row_number().over(
        partition_by=view.problem_id, order_by=(by_q, view.search_id, view.path)
    )
    names = [field.name for field in msgspec.structs.fields(RankedAnswer)]
    each = (
        sa.select(*(view[name] for name in names), place.label("place"))
        .where(view.run_id == run_id, view.round == number, view.purpose == "train")
        .where(view.correct.is_(sa.true() if correct else sa.false()))
        .subquery()
    )
    best = each.c.mean_q if worst else each.c.mean_q.desc()
    query = (
        sa.select(*(each.c[name] for name in names))
        .where(each.c.place == 1)
        .order_by(best, each.c.search_id)
        .limit(limit)
    )
    return [RankedAnswer(*row) for row in connection.execute(query)]


def _at(table: Any, path: Any) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.search_id == pairs.c.search_id, table.c.path == path)


def _pair_with_nodes(row: tuple[Any, ...], width: int) -> PairWithNodes:
    start = len(row) - 2 * width
    return PairWithNodes(
        Pair(*row[:start]), Node(*row[start : start + width]), Node(*row[start + width :])
    )


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
    if state == "solved":
        return solved > 0
    if state == "unsolved":
        return sa.and_(solved == 0, _count_where(searches.c.status == "finished") > 0)
    return _count_where(searches.c.status == state) > 0


def _problem_order(order: ProblemOrder) -> list[sa.ColumnElement[Any]]:
    """`late`: solved rounds after the first try, then late within the search; unsolved last."""
    solved_in = sa.func.min(sa.case((searches.c.solved.is_(sa.true()), searches.c.round)))
    orders: dict[ProblemOrder, list[sa.ColumnElement[Any]]] = {
        "problem": [],
        "late": [
            (solved_in - sa.func.min(searches.c.round)).desc().nulls_last(),
            sa.func.max(_first_right()).desc().nulls_last(),
        ],
        "tokens": [sa.func.sum(_of_search(expansions.c.new_tokens)).desc()],
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
            _first_right(),
        )
        .where(searches.c.problem_id.in_(ids), searches.c.purpose == purpose)
        .order_by(searches.c.round, searches.c.id)
    )
    for *fields, made, spent, first in connection.execute(query):
        search = Search(*fields)
        tried[search.problem_id].append(TriedSearch(search, made, spent, first))
    return [TriedProblem(found[problem_id], tried[problem_id]) for problem_id in ids]


def _of_search(column: Any) -> sa.ScalarSelect[Any]:
    return sa.select(_sum(column)).where(expansions.c.search_id == searches.c.id).scalar_subquery()


def _first_right() -> sa.ScalarSelect[Any]:
    """Read by way of the index of answers."""
    right = sa.and_(nodes.c.status == "answer", nodes.c.correct.is_(sa.true()))
    return (
        sa.select(sa.func.min(nodes.c.expansion))
        .where(nodes.c.search_id == searches.c.id, right)
        .scalar_subquery()
    )


def _count_where(condition: Any) -> sa.ColumnElement[Any]:
    return _sum(sa.case((condition, 1), else_=0))


def _sum(value: Any) -> sa.ColumnElement[Any]:
    """0 for no rows, and of the kind it sums: PostgreSQL makes bigints numeric."""
    return sa.cast(sa.func.coalesce(sa.func.sum(value), 0), value.type)
