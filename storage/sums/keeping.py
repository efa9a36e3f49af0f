"""Keeping the sums of searches that are over, and adding up those of others."""

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.sums.adding import SearchSums, Spent, TreeNode, add_up
from storage.tables import expansions, nodes, search_sums, searches

if TYPE_CHECKING:
    from storage.database import Database

log = logging.getLogger("rstar.storage")

OVER = ("finished", "failed")
SEARCHES_AT_ONCE = 100
MANY = 1000  # seconds of work, which somebody waits for

# Compiled once: they are read at the end of every search.
_SEARCH = sa.bindparam("search_id", type_=sa.Text())
_NODES = sa.select(*(nodes.c[name] for name in TreeNode._fields)).where(
    nodes.c.search_id == _SEARCH
)
_EXPANSIONS = sa.select(
    sa.func.count(),
    *(
        sa.func.coalesce(sa.func.sum(expansions.c[name]), 0)
        for name in ("unique_samples", *Spent._fields[1:])
    ),
).where(expansions.c.search_id == _SEARCH)


def keep(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Store the sums of these searches, of those that are over and whose trees are whole: an import
    stores a search before its tree."""
    over = sa.select(searches.c.id, searches.c.expansions).where(
        searches.c.id.in_(ids), searches.c.status.in_(OVER)
    )
    expected = {row.id: row.expansions for row in connection.execute(over)}
    whole = [sums for id_ in expected if (sums := _whole(connection, id_, expected[id_]))]
    if torn := expected.keys() - {sums.search_id for sums in whole}:
        connection.execute(search_sums.delete().where(search_sums.c.search_id.in_(torn)))
    if whole:
        rows = [msgspec.structs.asdict(sums) for sums in whole]
        connection.execute(_UPSERT[connection.dialect.name], rows)


def sums_of(connection: sa.Connection, search_id: str) -> SearchSums:
    """Add up the tree of a search as it is now."""
    tree = _tree(connection, search_id)
    return add_up(search_id, tree.spent, tree.nodes)


def keep_missing(database: "Database") -> int:
    """Keep the sums of all searches that are over and have none: those of a store of an older
    version, or of an import. Returns their number; may be interrupted and repeated."""
    missing = database.read(_without_sums)
    if len(missing) >= MANY:
        log.warning("adding up %d trees, once; store=%s", len(missing), database.name)
    for ids in _batches(missing):
        database.change(keep, ids)
    return len(missing)


def _whole(connection: sa.Connection, search_id: str, expected: int) -> SearchSums | None:
    """None of a tree that is stored in part, or not at all."""
    tree = _tree(connection, search_id)
    if (tree.spent.expansions, tree.made + 1) != (expected, len(tree.nodes)):
        return None
    return add_up(search_id, tree.spent, tree.nodes)


class _Tree(NamedTuple):
    """What its expansions cost, how many nodes they made, and all nodes with the root."""

    spent: Spent
    made: int
    nodes: list[TreeNode]


def _tree(connection: sa.Connection, search_id: str) -> _Tree:
    own = {"search_id": search_id}
    count, made, *sums = connection.execute(_EXPANSIONS, own).one()
    spent = Spent(count, *map(int, sums[:4]), *map(float, sums[4:]))
    return _Tree(spent, int(made), [TreeNode(*row) for row in connection.execute(_NODES, own)])


def _without_sums(connection: sa.Connection) -> list[str]:
    current = sa.and_(
        search_sums.c.search_id == searches.c.id, search_sums.c.expansions == searches.c.expansions
    )
    query = (
        sa.select(searches.c.id)
        .outerjoin(search_sums, current)
        .where(searches.c.status.in_(OVER), search_sums.c.search_id.is_(None))
        .order_by(searches.c.id)
    )
    return list(connection.scalars(query))


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while batch := list(itertools.islice(remaining, SEARCHES_AT_ONCE)):
        yield batch


def _upsert(insert: Any) -> Any:
    """A search that failed may be tried again, and then replaces its sums."""
    new = {column.name: insert.excluded[column.name] for column in search_sums.columns}
    return insert.on_conflict_do_update(index_elements=["search_id"], set_=new)


_UPSERT = {
    "sqlite": _upsert(sqlite.insert(search_sums)),
    "postgresql": _upsert(postgresql.insert(search_sums)),
}
