"""Makes the attempts of an evaluation, many at once, and reads them back from the store.

The result of an attempt is always read from stored rows, whether it was made now or by an earlier
process. So an evaluation that was killed goes on, and its figures are those of one that was not.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence

import trio
from msgspec import structs

from rstar_async.errors import JobFailed
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategy import PendingAttempt, Strategy
from rstar_async.evaluation.unmeasured import TRIES
from rstar_async.search.runner import SearchRunner
from rstar_async.wire.exception_groups import first
from storage import queries
from storage.queries import Attempt
from storage.records import Problem, Search, SearchProgress
from storage.store import Store

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 4096


class Attempts:
    """All attempts under the same settings, at most `search.in_flight` of them at once.

    `on_attempt` is called for each, made now or found in the store.
    """

    def __init__(
        self,
        settings: EvaluationSettings,
        runner: SearchRunner,
        store: Store,
        on_attempt: Callable[[Strategy, Attempt], None] = lambda strategy, attempt: None,
    ) -> None:
        self.settings = settings
        self.new_tokens = 0  # sampled by attempts that were not finished before
        self._runner = runner
        self._store = store
        self._on_attempt = on_attempt
        self._limit = trio.Semaphore(settings.search.in_flight)

    async def make(
        self, strategy: Strategy, problem: Problem, numbers: Iterable[int]
    ) -> list[Attempt]:
        """The attempts with these numbers (from 1), all at once; in the order of the numbers."""
        made: dict[int, Attempt] = {}

        async def make_one(number: int) -> None:
            row = self.settings.attempt(strategy, problem, number)
            made[number] = await self.finish(strategy, problem, row)

        async with trio.open_nursery() as nursery:
            for number in numbers:
                nursery.start_soon(make_one, number)
        return [made[number] for number in sorted(made)]

    async def make_until_spent(
        self, strategy: Strategy, problem: Problem, budget: int
    ) -> list[Attempt]:
        """Attempts until they have used `budget` tokens, never less.

        How many come next depends on stored figures alone, so a second process asks for the same.
        """
        made: list[Attempt] = []
        missing = 1
        while missing:
            numbers = range(len(made) + 1, len(made) + missing + 1)
            made += await self.make(strategy, problem, numbers)
            missing = still_missing(made, budget)
        return made

    async def finish(self, strategy: Strategy, problem: Problem, row: Search) -> Attempt:
        """The attempt with the id of `row`, made if the store does not have it finished; it is
        failed if its jobs failed for good, whenever they were tried."""
        found = await self._store.read(queries.attempt, row.id)
        if found is None:
            await self._store.commit(row)
        for _ in range(TRIES):
            if found is None or found.search.status != "finished":
                found = await self._try(strategy, problem, row, found)
        assert found is not None
        self._on_attempt(strategy, found)
        return found

    async def _try(
        self, strategy: Strategy, problem: Problem, row: Search, found: Attempt | None
    ) -> Attempt:
        """Make the attempt, or go on where an earlier try ended."""
        async with self._limit:
            begun = structs.replace(found.search, seed=row.seed) if found else row
            await self._run(strategy, problem, begun)
        made = await self._store.read(queries.attempt, row.id)
        assert made is not None
        if made.search.status == "finished":
            self.new_tokens += made.new_tokens
        return made

    async def _run(self, strategy: Strategy, problem: Problem, search: Search) -> None:
        plan, evaluation = self.settings.plan(strategy), self.settings.evaluation
        pending = PendingAttempt(search, problem, plan, evaluation, self._runner, self._store)
        try:
            await strategy.run(pending)
        except* JobFailed as failures:
            reason = str(first(failures))
            log.error("attempt failed", extra={"tree": search.id, "reason": reason})
            await self._store.commit(_failed(search, reason))


def still_missing(made: Sequence[Attempt], budget: int) -> int:
    """How many more attempts will use the rest of the budget, judged by those so far. Pure."""
    spent = tokens_of(made)
    if spent >= budget or not spent or made[-1].search.status == "failed":
        return 0
    wanted = math.ceil((budget - spent) / (spent / len(made)))
    return min(wanted, MOST_ATTEMPTS - len(made))


def tokens_of(attempts: Iterable[Attempt]) -> int:
    return sum(attempt.new_tokens for attempt in attempts)


def _failed(search: Search, reason: str) -> SearchProgress:
    return SearchProgress(search.id, "failed", rollouts=0, expansions=0, failure=reason)
