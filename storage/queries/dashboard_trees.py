"""Trees for the web page: pages of nodes, text search and pairs."""

from typing import Any

import msgspec
import sqlalchemy as sa

from storage import statements
from storage.column_types import UntrustedText
from storage.queries.select import matches
from storage.records import Node, NodeStatus, Pair, PairKind, Split
from storage.tables import nodes, pairs

SNIPPET = 160


class TreeNode(msgspec.Struct, frozen=True):
    """A node as a drawing of the tree needs it; `snippet` is the beginning of its text."""

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


def tree_page(
    connection: sa.Connection, search_id: str, since: int = -1, after: str = "", limit: int = 1000
) -> list[TreeNode]:
    """Nodes made after expansion `since`, from path `after` on in the order of paths.

    Parents come before their children; a committed expansion is complete.
    """
    names = [field.name for field in msgspec.structs.fields(TreeNode)][:-1]
    snippet: Any = sa.func.substr(nodes.c.text, 1, SNIPPET, type_=UntrustedText())
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
        matches(pairs.c.kind, kind),
        matches(pairs.c.split, split),
        matches(pairs.c.search_id, search_id),
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


def _at(table: Any, path: Any) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.search_id == pairs.c.search_id, table.c.path == path)


def _pair_with_nodes(row: tuple[Any, ...], width: int) -> PairWithNodes:
    start = len(row) - 2 * width
    return PairWithNodes(
        Pair(*row[:start]), Node(*row[start : start + width]), Node(*row[start + width :])
    )
