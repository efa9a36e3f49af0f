"""Sums over the trees of searches: those that are kept, and of other searches added up now."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage.queries.select import count_where, of_round, total
from storage.records import Purpose
from storage.sums.adding import SearchSums
from storage.sums.keeping import OVER, sums_of
from storage.tables import expansions, nodes, search_sums, searches

_IS_KEPT = sa.and_(
    search_sums.c.search_id == searches.c.id,
    search_sums.c.expansions == searches.c.expansions,
    searches.c.status.in_(OVER),
)
# Searches with their sums, NULL where none are kept; what the expressions below select from.
with_sums = searches.outerjoin(search_sums, _IS_KEPT)


class Summed(NamedTuple):
    """A search of a round."""

    problem_id: str
    sums: SearchSums


def sums_in_round(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose
) -> Iterator[Summed]:
    """Of all its searches, by id; those of a search that waits are zero."""
    columns = [search_sums.c[name] for name in SearchSums.__struct_fields__]
    query = (
        sa.select(searches.c.id, searches.c.problem_id, searches.c.status, *columns)
        .select_from(with_sums)
        .where(of_round(run_id, number, purpose))
        .order_by(searches.c.id)
    )
    for id_, problem_id, status, *kept in connection.execute(query).all():
        yield Summed(problem_id, _sums(connection, id_, status, kept))


def counts_in_round(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose, *groups: str
) -> list[Counter[str]]:
    """For each of the groups of `storage.sums.adding.counts_of`, the counts of a whole round."""
    found: list[Counter[str]] = [Counter() for _ in groups]
    for each in sums_in_round(connection, run_id, number, purpose):
        for counter, group in zip(found, groups, strict=True):
            counter.update(each.sums.counts.get(group, {}))
    return found


def of_search(name: str) -> sa.ColumnElement[Any]:
    """A sum over the expansions of one search: its `nodes` or `new_tokens`. Where it is not kept it
    is read from an index of `expansions` alone: the nodes themselves are ten times as many."""
    column = expansions.c["unique_samples" if name == "nodes" else name]
    now = sa.select(total(column)).where(expansions.c.search_id == searches.c.id)
    return sa.func.coalesce(search_sums.c[name], now.scalar_subquery(), type_=column.type)


def answers_of_search(name: str, *, right: bool) -> sa.ColumnElement[Any]:
    """How many answers of one search are right or wrong: `name` is their column."""
    verdict = nodes.c.correct.is_(sa.true() if right else sa.false())
    now = sa.select(count_where(verdict)).where(
        nodes.c.search_id == searches.c.id, nodes.c.status == "answer"
    )
    return sa.func.coalesce(search_sums.c[name], now.scalar_subquery(), type_=sa.Integer())


def first_right() -> sa.ColumnElement[Any]:
    """Number of the expansion that made the first right answer; NULL if there is none."""
    right = sa.and_(nodes.c.status == "answer", nodes.c.correct.is_(sa.true()))
    now = sa.select(sa.func.min(nodes.c.expansion)).where(nodes.c.search_id == searches.c.id, right)
    is_kept = search_sums.c.search_id.is_not(None)
    return sa.case((is_kept, search_sums.c.first_right), else_=now.scalar_subquery())


def _sums(connection: sa.Connection, search_id: str, status: str, kept: list[Any]) -> SearchSums:
    if kept[0] is not None:
        return SearchSums(**dict(zip(SearchSums.__struct_fields__, kept, strict=True)))
    return (
        SearchSums(search_id=search_id) if status == "waiting" else sums_of(connection, search_id)
    )
