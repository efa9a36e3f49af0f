"""Searches as attempts at a problem: what they answered, and what that cost."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from storage.queries.select import select_all
from storage.records import Search
from storage.tables import expansions, nodes, searches


class FoundAnswer(msgspec.Struct, frozen=True):
    """An answer node. `prior` is the PPM's value, `samples` how often this text was sampled,
    `expansion` the number of the expansion that made it."""

    path: str
    answer: str
    correct: bool | None
    prior: float | None
    samples: int
    expansion: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """A search with its answers by path, an order that does not depend on timing.

    `width` is how many steps were sampled at its root; `new_tokens` includes repeated samples.
    """

    search: Search
    answers: list[FoundAnswer]
    width: int
    new_tokens: int
    expansions: int


def attempts_of(connection: sa.Connection, ids: Sequence[str]) -> list[Attempt]:
    """The attempts with these ids, as far as they exist, in the order of `ids`."""
    return [found for search_id in ids if (found := attempt(connection, search_id)) is not None]


def attempt(connection: sa.Connection, search_id: str) -> Attempt | None:
    """One attempt, finished or not."""
    found = select_all(connection, Search, searches.c.id == search_id, order=[])
    if not found:
        return None
    width, new_tokens, count = _spent(connection, search_id)
    return Attempt(found[0], _answers(connection, search_id), width, new_tokens, count)


def _answers(connection: sa.Connection, search_id: str) -> list[FoundAnswer]:
    table = nodes.c
    columns = table.path, table.answer, table.correct, table.prior, table.multiplicity
    query = (
        sa.select(*columns, table.expansion)
        .where(nodes.c.search_id == search_id, nodes.c.status == "answer")
        .order_by(sa.func.length(nodes.c.path), nodes.c.path)
    )
    return [FoundAnswer(*row) for row in connection.execute(query)]


def _spent(connection: sa.Connection, search_id: str) -> tuple[int, int, int]:
    at_root = sa.case((expansions.c.path == "0", expansions.c.samples), else_=0)
    query = sa.select(
        sa.func.coalesce(sa.func.max(at_root), 0),
        sa.func.coalesce(sa.func.sum(expansions.c.new_tokens), 0),
        sa.func.count(),
    ).where(expansions.c.search_id == search_id)
    width, new_tokens, count = connection.execute(query).one()
    return int(width), int(new_tokens), int(count)
