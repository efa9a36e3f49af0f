"""A coordinator's part in its run: it has the run to itself, or shares it with others.

Of several, one leads: it opens and closes rounds, measures the models and waits for the trainer.
The others help it to search, and wait meanwhile, ready to lead. Each renews its lease; one that was
taken for dead raises `LostLease` and has to start again (`storage.leases`).
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from rstar_async.coordinator.shares import ClaimedShare, Share, WholeRound
from rstar_async.telemetry.metrics import LEADS
from storage import leases
from storage.records import Problem, Round, Search
from storage.store import Store

log = logging.getLogger(__name__)

RENEWALS_IN_A_LEASE = 4
LEAVE_SECONDS = 2.0


class Membership(Protocol):
    """What the round driver asks of it. One that leads does so to its end."""

    @property
    def leads(self) -> bool: ...

    async def wait_until_leading(self) -> None: ...

    def share(
        self, round_: Round, problems: Sequence[Problem], stored: dict[str, Search]
    ) -> Share: ...


class Alone:
    """The only coordinator of its run: neither leases nor claims."""

    leads = True

    async def wait_until_leading(self) -> None:
        """It always leads."""

    def share(
        self, round_: Round, problems: Sequence[Problem], stored: dict[str, Search]
    ) -> WholeRound:
        return WholeRound(problems, stored)


class Member:
    """One of several coordinators. Made by `open_membership`."""

    def __init__(self, store: Store, run_id: str, number: int, seconds: float) -> None:
        self._store, self._run_id = store, run_id
        self._number, self._seconds = number, seconds
        self._leading = trio.Event()

    @property
    def leads(self) -> bool:
        return self._leading.is_set()

    async def wait_until_leading(self) -> None:
        await self._leading.wait()

    def share(
        self, round_: Round, problems: Sequence[Problem], stored: dict[str, Search]
    ) -> ClaimedShare:
        return ClaimedShare(problems, round_, self._store, self._number)

    async def keep(self) -> None:
        """Renew the lease, and remove those who did not, until cancelled; raises `LostLease`."""
        while True:
            await self._renew()
            await trio.sleep(self._seconds / RENEWALS_IN_A_LEASE)

    async def _renew(self) -> None:
        await self._store.change(leases.renew, self._number, self._seconds)
        for other in await self._store.change(leases.remove_expired, self._run_id):
            facts = {"coordinator": other.name, "problems": other.claimed}
            log.warning("coordinator removed: its lease expired", extra=facts)
        leader = await self._store.read(leases.leader, self._run_id)
        if leader == self._number and not self.leads:
            log.info("leads the run", extra={"run": self._run_id})
            LEADS.set(1)
            self._leading.set()


@asynccontextmanager
async def open_membership(
    store: Store, run_id: str, name: str, seconds: float
) -> AsyncIterator[Member]:
    """Take part in the stored run while the block lasts, with a lease of `seconds`.

    A former coordinator of this name is removed at once. If this one is, the block is cancelled and
    raises `LostLease`, in a group.
    """
    number = await store.change(leases.join, run_id, name, seconds)
    store.commit_as(number)
    log.info("joined the run", extra={"run": run_id, "coordinator": name, "number": number})
    member = Member(store, run_id, number, seconds)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(member.keep)
            yield member
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(LEAVE_SECONDS, shield=True):
            await store.change(leases.leave, number)
