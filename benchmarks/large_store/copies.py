"""Copies stored trees inside the database, those of one wave interleaved as they are searched."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from benchmarks.large_store.templates import Template
from storage import statements
from storage.records import Search
from storage.tables import expansions, nodes, pairs
from tests.view import generated

_wave = sa.Table(
    "wave",
    sa.MetaData(),
    sa.Column("search_id", sa.Text, primary_key=True),
    sa.Column("template", sa.Text),
    sa.Column("factor", sa.Double),
    sa.Column("later", sa.Double),
    sa.Column("round", sa.Integer),
    sa.Column("policy_id", sa.Text),
    sa.Column("trained_on", sa.Boolean),
    prefixes=["TEMPORARY"],
)
_SCALED = ("value_sum", "prior", "score")


class Copy(NamedTuple):
    """A search that gets the tree of a template: its values times `factor`, as if begun at
    `started`; preferences too, if a PPM was trained on it."""

    search: Search
    template: Template
    factor: float
    started: float
    trained_on: bool


def copy_trees(connection: sa.Connection, copies: Sequence[Copy]) -> None:
    """Store the searches and their trees."""
    statements.store(connection, [copy.search for copy in copies])
    if connection.dialect.name == "postgresql":
        _look_trees_up(connection)
    _wave.create(connection, checkfirst=True)
    connection.execute(_wave.delete())
    connection.execute(_wave.insert(), [_row(copy) for copy in copies])
    ways = (
        (expansions, expansions.c.search_id, (expansions.c.number, _wave.c.search_id)),
        (nodes, nodes.c.search_id, (nodes.c.expansion, _wave.c.search_id, nodes.c.path)),
    )
    for table, key, order in ways:
        _copy(connection, table, key == _wave.c.template, order)
    _copy(
        connection,
        pairs,
        sa.and_(pairs.c.search_id == _wave.c.template, _wave.c.trained_on),
        (_wave.c.search_id,),
    )


def _look_trees_up(connection: sa.Connection) -> None:
    """PostgreSQL knows nothing of the wave and would read all nodes to find its trees."""
    for setting in ("enable_hashjoin = off", "enable_mergejoin = off", "work_mem = '64MB'"):
        connection.execute(sa.text(f"SET LOCAL {setting}"))


def _row(copy: Copy) -> dict[str, Any]:
    search = copy.search
    return {
        "search_id": search.id,
        "template": copy.template.id,
        "factor": copy.factor,
        "later": copy.started - generated.START,
        "round": search.round,
        "policy_id": search.policy_id,
        "trained_on": copy.trained_on,
    }


def _copy(
    connection: sa.Connection, table: sa.Table, matching: Any, order: tuple[Any, ...]
) -> None:
    columns = [column for column in table.columns if column.computed is None]
    copied = (
        sa.select(*map(_copied, columns)).select_from(table.join(_wave, matching)).order_by(*order)
    )
    connection.execute(table.insert().from_select(columns, copied))


def _copied(column: sa.Column[Any]) -> Any:
    if column.name in ("search_id", "round", "policy_id"):
        return _wave.c[column.name]
    if column.name in _SCALED:
        return column * _wave.c.factor
    return column + _wave.c.later if column.name == "created_at" else column
