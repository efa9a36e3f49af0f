"""What the searches of a run waited for over time, in slices of equal length.

An expansion is stored with when it was complete and how long it waited for the policy, the executor
and the PPM, in this order; so the times before it follow. Sums are made by the database: the result
is as large as the number of slices, however many expansions there are.
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from storage.queries.sums import with_sums
from storage.tables import expansions, search_sums, searches

_WAITS = ("generate_seconds", "execute_seconds", "score_seconds")


class SliceOfWaiting(msgspec.Struct, frozen=True):
    """Seconds that concurrent searches spent in one slice of time, by what they waited for; the
    expansions that were complete in it, and the tokens sampled for them."""

    slice: int
    generate_seconds: float
    execute_seconds: float
    score_seconds: float
    expansions: int
    new_tokens: int


def last_searched_at(connection: sa.Connection, run_id: str) -> float | None:
    """When a search of the run last began or ended."""
    begun, ended = searches.c.started_at, searches.c.finished_at
    query = sa.select(sa.func.max(begun), sa.func.max(ended)).where(searches.c.run_id == run_id)
    times = [time for time in connection.execute(query).one() if time is not None]
    return max(times, default=None)


def waiting_slices(
    connection: sa.Connection, run_id: str, begin: float, length: float, slices: int
) -> list[SliceOfWaiting]:
    """The slices in which an expansion was completed, in order: of `slices` from `begin` on, each
    `length` seconds long.

    All expansions of a search that is over and took no longer than a slice count as complete in its
    middle: so a whole run is read from a row for each search.
    """
    window = (begin, length, begin + slices * length)
    found: dict[int, SliceOfWaiting] = {}
    for query in (_of_short_searches(run_id, *window), _of_expansions(run_id, *window)):
        for place, generate, execute, score, made, tokens in connection.execute(query):
            one = SliceOfWaiting(place, generate, execute, score, int(made), int(tokens))
            found[place] = _added(found[place], one) if place in found else one
    return [found[place] for place in sorted(found)]


def _of_short_searches(run_id: str, begin: float, length: float, end: float) -> sa.Select[Any]:
    middle = (searches.c.started_at + searches.c.finished_at) / 2
    place = _place(middle, begin, length)
    sums = (search_sums.c[name] for name in (*_WAITS, "expansions", "new_tokens"))
    return (
        sa.select(place.label("slice"), *map(sa.func.sum, sums))
        .select_from(with_sums)
        .where(searches.c.run_id == run_id, _is_short(length))
        .where(middle >= begin, middle < end)
        .group_by(place)
    )


def _of_expansions(run_id: str, begin: float, length: float, end: float) -> sa.Select[Any]:
    """Of all other searches that may have been under way then."""
    columns = expansions.c
    place = _place(columns.created_at, begin, length)
    sums = [sa.func.sum(columns[name]) for name in _WAITS]
    ended, begun = searches.c.finished_at, searches.c.started_at
    return (
        sa.select(place.label("slice"), *sums, sa.func.count(), sa.func.sum(columns.new_tokens))
        .select_from(with_sums.join(expansions, columns.search_id == searches.c.id))
        .where(searches.c.run_id == run_id, sa.not_(_is_short(length)))
        .where(sa.or_(ended.is_(None), ended >= begin, ended < begun))
        .where(columns.created_at >= begin, columns.created_at < end)
        .group_by(place)
    )


def _is_short(length: float) -> sa.ColumnElement[bool]:
    """Never NULL. A clock that was set back makes negative times, which say nothing."""
    taken = searches.c.finished_at - searches.c.started_at
    known = sa.and_(search_sums.c.search_id.is_not(None), taken.between(0, length))
    return sa.func.coalesce(known, sa.false())


def _place(time: Any, begin: float, length: float) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.floor((time - begin) / length), sa.Integer)


def _added(one: SliceOfWaiting, other: SliceOfWaiting) -> SliceOfWaiting:
    return SliceOfWaiting(
        one.slice,
        one.generate_seconds + other.generate_seconds,
        one.execute_seconds + other.execute_seconds,
        one.score_seconds + other.score_seconds,
        one.expansions + other.expansions,
        one.new_tokens + other.new_tokens,
    )
