"""Searches and their trees, for resuming, training data and the web page."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from storage.queries.select import matches, of_round, select_all, select_one
from storage.records import Expansion, Node, Purpose, Search, SearchStatus
from storage.tables import expansions, nodes, searches


class Cost(msgspec.Struct, frozen=True):
    """What a search has used so far: sampled tokens, CPU seconds of its programs."""

    new_tokens: int
    cpu_seconds: float


_PATH_ORDER = (sa.func.length(nodes.c.path), nodes.c.path)  # 0.2 before 0.10


def search_by_id(connection: sa.Connection, search_id: str) -> Search | None:
    return select_one(connection, Search, searches.c.id == search_id)


def searches_of(
    connection: sa.Connection,
    run_id: str,
    number: int,
    purpose: Purpose | None = None,
    status: SearchStatus | None = None,
) -> list[Search]:
    """The searches of a round, by id."""
    return select_all(
        connection,
        Search,
        searches.c.run_id == run_id,
        searches.c.round == number,
        matches(searches.c.purpose, purpose),
        matches(searches.c.status, status),
        order=[searches.c.id],
    )


def searches_of_problems(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose, problems: Sequence[str]
) -> list[Search]:
    """The searches of a round over these problems, by id."""
    where = (of_round(run_id, number, purpose), searches.c.problem_id.in_(problems))
    return select_all(connection, Search, *where, order=[searches.c.id])


def nodes_of(connection: sa.Connection, search_id: str) -> list[Node]:
    """The whole tree in the order it grew: parents before children, siblings in order."""
    order = [nodes.c.expansion, *_PATH_ORDER]
    return select_all(connection, Node, nodes.c.search_id == search_id, order=order)


def children_of(
    connection: sa.Connection, search_id: str, path: str, offset: int = 0, limit: int = 1000
) -> list[Node]:
    """A page of a node's children, in order."""
    where = (nodes.c.search_id == search_id, nodes.c.parent == path)
    order = [nodes.c.expansion, *_PATH_ORDER]
    return select_all(connection, Node, *where, order=order, limit=limit, offset=offset)


def node_by_path(connection: sa.Connection, search_id: str, path: str) -> Node | None:
    return select_one(connection, Node, nodes.c.search_id == search_id, nodes.c.path == path)


def steps_to(connection: sa.Connection, search_id: str, path: str) -> list[Node]:
    """The nodes from the root (first) down to `path` (last)."""
    parts = path.split(".")
    paths = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
    where = (nodes.c.search_id == search_id, nodes.c.path.in_(paths))
    return select_all(connection, Node, *where, order=[nodes.c.depth])


def expansions_of(connection: sa.Connection, search_id: str) -> list[Expansion]:
    """In the order they happened."""
    where = expansions.c.search_id == search_id
    return select_all(connection, Expansion, where, order=[expansions.c.number])


def cost_of(connection: sa.Connection, search_id: str) -> Cost:
    """Sums over the whole tree."""
    tokens = sa.select(sa.func.sum(expansions.c.new_tokens)).where(
        expansions.c.search_id == search_id
    )
    seconds = sa.select(sa.func.sum(nodes.c.cpu_seconds)).where(nodes.c.search_id == search_id)
    return Cost(int(connection.scalar(tokens) or 0), float(connection.scalar(seconds) or 0.0))
