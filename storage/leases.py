"""Several coordinators in one run: who takes part, and who has claimed which problem.

A coordinator takes part for as long as it renews its lease. Once the lease has expired, any other
may remove it, and its claims go with it. Its number is never given again and fences it off: a
commit under that number (`check`) is stored only while the coordinator takes part, and holds up its
removal until then. So whoever claims a problem next reads everything that its former owner stored,
and the former owner can add nothing to it.

The coordinator with the lowest number leads the run. As numbers only rise, a leader leads until it
is removed, and the same check holds for what only a leader may write.

Every function is to be passed to `Store.change` or `Database.change`, or to `read` if it only
reads, and may be repeated. `now` is the database's clock unless a test sets it.
"""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from storage.errors import LostLease
from storage.statements import insert_missing
from storage.tables import claims, coordinators

# Compiled once: it is part of every commit. Renewals go on beside this lock, removals wait for it.
_LOCKED = (
    sa.select(coordinators.c.number)
    .where(coordinators.c.number == sa.bindparam("number"))
    .with_for_update(read=True, key_share=True)
)


class Coordinator(msgspec.Struct, frozen=True):
    """One that takes part: how many problems it has claimed, and how long its lease still lasts
    (negative: it expired so long ago)."""

    number: int
    name: str
    claimed: int
    seconds_left: float
    leads: bool


def join(
    connection: sa.Connection, run_id: str, name: str, seconds: float, now: float | None = None
) -> int:
    """Take part for `seconds`; the coordinator's number. A former one of this name is removed."""
    same = (coordinators.c.run_id == run_id, coordinators.c.name == name)
    connection.execute(coordinators.delete().where(*same))
    lease = {"run_id": run_id, "name": name, "expires_at": _clock(now) + seconds}
    number = coordinators.insert().values(lease).returning(coordinators.c.number)
    return int(connection.execute(number).scalar_one())


def renew(connection: sa.Connection, number: int, seconds: float, now: float | None = None) -> None:
    """Take part for `seconds` from now on; raises `LostLease` if it was removed."""
    lease = coordinators.update().where(coordinators.c.number == number)
    if not connection.execute(lease.values(expires_at=_clock(now) + seconds)).rowcount:
        raise _lost(number)


def remove_expired(
    connection: sa.Connection, run_id: str, now: float | None = None
) -> list[Coordinator]:
    """Remove the coordinators whose leases have expired, with their claims; those removed."""
    found = {one.number: one for one in coordinators_of(connection, run_id, now)}
    expired = [number for number, one in found.items() if one.seconds_left <= 0]
    if not expired:
        return []
    # One may have been renewed since it was read.
    still = (coordinators.c.number.in_(expired), coordinators.c.expires_at <= _clock(now))
    removed = coordinators.delete().where(*still).returning(coordinators.c.number)
    return [found[number] for number in sorted(connection.execute(removed).scalars())]


def leave(connection: sa.Connection, number: int) -> None:
    """Take part no longer, and give up all claims."""
    connection.execute(coordinators.delete().where(coordinators.c.number == number))


def check(connection: sa.Connection, number: int) -> None:
    """Raise `LostLease` if the coordinator was removed; if not, it will not be before the end of
    this transaction."""
    if connection.execute(_LOCKED, {"number": number}).first() is None:
        raise _lost(number)


def leader(connection: sa.Connection, run_id: str) -> int | None:
    """The number of the coordinator that leads the run."""
    lowest = sa.select(sa.func.min(coordinators.c.number)).where(coordinators.c.run_id == run_id)
    number: int | None = connection.scalar(lowest)
    return number


def claim(connection: sa.Connection, number: int, problems: Iterable[str]) -> list[str]:
    """Claim those of `problems` that no other coordinator has claimed; the ids of those that are
    now this one's, in order. Raises `LostLease`."""
    check(connection, number)
    # In one order everywhere, so that two coordinators cannot wait for each other.
    wanted = sorted(problems)
    rows = [{"problem_id": problem, "coordinator": number} for problem in wanted]
    if rows:
        connection.execute(insert_missing(claims, connection.dialect.name), rows)
    own = (claims.c.coordinator == number, claims.c.problem_id.in_(wanted))
    query = sa.select(claims.c.problem_id).where(*own).order_by(claims.c.problem_id)
    return list(connection.execute(query).scalars())


def release(connection: sa.Connection, number: int, problems: Sequence[str]) -> None:
    """Give up these claims."""
    own = (claims.c.coordinator == number, claims.c.problem_id.in_(problems))
    connection.execute(claims.delete().where(*own))


def coordinators_of(
    connection: sa.Connection, run_id: str, now: float | None = None
) -> list[Coordinator]:
    """Those that take part in the run, the one that leads it first."""
    table = coordinators.c
    query = (
        sa.select(
            table.number,
            table.name,
            sa.func.count(claims.c.problem_id),
            table.expires_at - _clock(now),
        )
        .outerjoin(claims, claims.c.coordinator == table.number)
        .where(table.run_id == run_id)
        .group_by(table.number, table.name, table.expires_at)
        .order_by(table.number)
    )
    rows = connection.execute(query).all()
    return [
        Coordinator(number, name, claimed, left, leads=place == 0)
        for place, (number, name, claimed, left) in enumerate(rows)
    ]


def _clock(now: float | None) -> sa.ColumnElement[float]:
    """Seconds since 1970, by the database's clock unless given."""
    if now is not None:
        return sa.literal(now, sa.Double())
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double())


def _lost(number: int) -> LostLease:
    return LostLease(
        f"coordinator number {number} was silent for longer than its lease, and others have taken "
        "over its problems"
    )
