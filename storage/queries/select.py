"""From rows to records."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from storage import statements

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


def matches(column: sa.Column[Any], value: Any) -> Any:
    """`column == value`, or no condition where `value` is None."""
    return sa.true() if value is None else column == value
