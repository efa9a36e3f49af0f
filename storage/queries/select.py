"""What the queries share: reading records, conditions and sums."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from storage import statements
from storage.records import Purpose
from storage.tables import searches

R = TypeVar("R", bound=msgspec.Struct)


def select_all(
    connection: sa.Connection,
    kind: type[R],
    *where: Any,
    order: Sequence[Any],
    limit: int | None = None,
    offset: int | None = None,
) -> list[R]:
    query = sa.select(*statements.columns(kind)).where(*where).order_by(*order)
    page = query.limit(limit).offset(offset)
    return [kind(*row) for row in connection.execute(page)]


def select_one(
    connection: sa.Connection, kind: type[R], *where: Any, order: Sequence[Any] = ()
) -> R | None:
    """The first, if any."""
    return next(iter(select_all(connection, kind, *where, order=order, limit=1)), None)


def of_round(run_id: str, number: int, purpose: Purpose) -> sa.ColumnElement[bool]:
    """The searches of one round and purpose."""
    table = searches.c
    return sa.and_(table.run_id == run_id, table.round == number, table.purpose == purpose)


def total(value: Any) -> sa.ColumnElement[Any]:
    """The sum, 0 without rows, of the type of `value`: PostgreSQL sums bigints as numeric."""
    return sa.cast(sa.func.coalesce(sa.func.sum(value), 0), value.type)


def count_where(condition: Any) -> sa.ColumnElement[Any]:
    return total(sa.case((condition, 1), else_=0))


def matches(column: sa.Column[Any], value: Any) -> Any:
    """`column == value`, or no condition where `value` is None."""
    return sa.true() if value is None else column == value
