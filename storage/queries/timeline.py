"""What the searches of a run waited for over time, in slices of equal length.

An expansion is stored with when it was complete and how long it waited for the policy, the executor
and the PPM, in this order; so the times before it follow. Sums are made by the database: the result
is as large as the number of slices, however many expansions there are.
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from storage.tables import expansions, searches


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
    `length` seconds long."""
    columns = expansions.c
    end = begin + slices * length
    place = sa.cast(sa.func.floor((columns.created_at - begin) / length), sa.Integer)
    sums: tuple[Any, ...] = (
        sa.func.sum(columns.generate_seconds),
        sa.func.sum(columns.execute_seconds),
        sa.func.sum(columns.score_seconds),
        sa.func.count(),
        sa.func.sum(columns.new_tokens),
    )
    query = (
        sa.select(place.label("slice"), *sums)
        .select_from(expansions.join(searches))
        .where(searches.c.run_id == run_id)
        .where(columns.created_at >= begin, columns.created_at < end)
        .group_by(place)
        .order_by(place)
    )
    return [
        SliceOfWaiting(place, generate, execute, score, made, int(tokens))
        for place, generate, execute, score, made, tokens in connection.execute(query)
    ]
