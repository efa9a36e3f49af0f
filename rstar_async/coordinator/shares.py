"""A coordinator's share of the problems of a round: all of them, or those that it has claimed."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import trio

from rstar_async.coordinator.claim_queue import ClaimQueue
from rstar_async.telemetry.metrics import CLAIMS
from storage import leases, queries
from storage.records import Problem, Round, Search
from storage.store import Store

CLAIMED_AT_ONCE = 16


class Batch(NamedTuple):
    """Problems to search now, and by id what the store has of their searches in this round."""

    problems: Sequence[Problem]
    stored: dict[str, Search]


class Share(Protocol):
    """Deals out every problem once to this coordinator, unless another finishes it."""

    async def next(self, most: int) -> Batch:
        """The next problems, about `most` of them; none at the end."""

    async def release(self, problem: Problem) -> None:
        """The problem is searched."""


class WholeRound:
    """The share of a coordinator that has the run to itself: all at once."""

    def __init__(self, problems: Sequence[Problem], stored: dict[str, Search]) -> None:
        self._left = Batch(problems, stored)

    async def next(self, most: int) -> Batch:
        left, self._left = self._left, Batch((), {})
        return left

    async def release(self, problem: Problem) -> None:
        """Nobody waits for it."""


class ClaimedShare:
    """The share of one of several: what `leases` gives to coordinator `number`, a few at a time.

    The searches are read once the problem is claimed, when nobody else can write to them.
    """

    def __init__(
        self, problems: Sequence[Problem], round_: Round, store: Store, number: int
    ) -> None:
        self._problems = {problem.id: problem for problem in problems}
        self._queue = ClaimQueue(self._problems)
        self._round = round_
        self._store = store
        self._number = number

    async def next(self, most: int) -> Batch:
        while self._queue:
            await trio.sleep(self._queue.seconds_until_next(trio.current_time()))
            wanted = self._queue.next(min(most, CLAIMED_AT_ONCE), trio.current_time())
            claimed = await self._store.change(leases.claim, self._number, wanted)
            self._queue.refused(
                [problem for problem in wanted if problem not in claimed], trio.current_time()
            )
            if claimed:
                CLAIMS.inc(len(claimed))
                return await self._batch(claimed)
        return Batch((), {})

    async def release(self, problem: Problem) -> None:
        await self._store.change(leases.release, self._number, [problem.id])
        CLAIMS.dec()

    async def _batch(self, claimed: Sequence[str]) -> Batch:
        round_ = self._round
        found = await self._store.read(
            queries.searches_of_problems, round_.run_id, round_.number, "train", claimed
        )
        problems = [self._problems[problem] for problem in claimed]
        return Batch(problems, {search.id: search for search in found})
