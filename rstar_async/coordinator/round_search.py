"""The searching half of a round: every problem with the first seed, the unsolved with further ones.

No problem waits for another: each goes from seed to seed on its own. What is done is read from the
store, so a restart continues in the middle of any search. A search whose jobs failed for good is
tried once more at the end, and again when the round is started again; of several coordinators, each
tries it so often.
"""

import logging
from collections.abc import Sequence

import trio

from rstar_async.coordinator.membership import Alone, Membership
from rstar_async.coordinator.shares import Share
from rstar_async.data.difficulty import Difficulty, difficulty
from rstar_async.errors import RstarError
from rstar_async.search.budget import is_solved
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.seeding import search_id
from storage import queries
from storage.records import Problem, Round, Search
from storage.store import Store

log = logging.getLogger(__name__)

TRIES = 2


class RoundSearch:
    """Searches the problems of one round; `seeds` in the order in which they are tried."""

    def __init__(
        self,
        round_: Round,
        seeds: Sequence[int],
        plan: SearchPlan,
        store: Store,
        runner: SearchRunner,
        membership: Membership | None = None,
    ) -> None:
        self._round = round_
        self._seeds = seeds
        self._plan = plan
        self._store = store
        self._runner = runner
        self._membership = membership or Alone()

    async def run(self, problems: Sequence[Problem]) -> None:
        """Finish all searches; raises `RstarError` if every single one failed."""
        await self._store.commit(*problems)
        await self._store.commit(*(self._row(problem, self._seeds[0]) for problem in problems))
        for _ in range(TRIES):
            await self._search_unfinished(problems)
        searches = await self._stored()
        self._refuse_if_all_failed(searches)
        await self._log_difficulties()

    async def _search_unfinished(self, problems: Sequence[Problem]) -> None:
        stored = {search.id: search for search in await self._stored()}
        unsettled = [problem for problem in problems if not self._is_settled(problem, stored)]
        share = self._membership.share(self._round, unsettled, stored)
        limit = trio.Semaphore(self._plan.settings.in_flight)
        async with trio.open_nursery() as nursery:
            while (batch := await share.next(await _free(limit))).problems:
                for problem in batch.problems:
                    await limit.acquire()
                    nursery.start_soon(self._search_problem, problem, batch.stored, limit, share)

    def _is_settled(self, problem: Problem, stored: dict[str, Search]) -> bool:
        """Whether it is solved, or not solved with any seed."""
        for seed in self._seeds:
            search = stored.get(self._row(problem, seed).id)
            if search is None or search.status != "finished":
                return False
            if search.solved:
                return True
        return True

    async def _search_problem(
        self, problem: Problem, stored: dict[str, Search], limit: trio.Semaphore, share: Share
    ) -> None:
        """Seed after seed, until one search solves the problem or its jobs fail for good."""
        try:
            for seed in self._seeds:
                row = self._row(problem, seed)
                solved = await self._finish(stored.get(row.id, row), problem)
                if solved or solved is None:
                    break
            await share.release(problem)
        finally:
            limit.release()

    async def _finish(self, search: Search, problem: Problem) -> bool | None:
        """Whether the search solved its problem; None if it failed."""
        if search.status == "finished":
            return search.solved is True
        if search.status == "waiting":
            await self._store.commit(search)
        tree = await self._runner.search(search, problem, self._plan)
        return None if tree is None else is_solved(tree)

    async def _stored(self) -> list[Search]:
        round_ = self._round
        return await self._store.read(queries.searches_of, round_.run_id, round_.number, "train")

    def _refuse_if_all_failed(self, searches: Sequence[Search]) -> None:
        failed = [search for search in searches if search.status == "failed"]
        if failed and len(failed) == len(searches):
            number = self._round.number
            raise RstarError(f"every search of round {number} failed: {failed[0].failure}")

    async def _log_difficulties(self) -> None:
        counts = await self._store.read(
            queries.answer_counts, self._round.run_id, self._round.number
        )
        classes = [difficulty(count.right, count.wrong) for count in counts]
        facts = {"run": self._round.run_id, "round": self._round.number}
        found = {str(kind): classes.count(kind) for kind in Difficulty}
        log.info("difficulties", extra={**facts, **found})

    def _row(self, problem: Problem, seed: int) -> Search:
        round_ = self._round
        return Search(
            id=search_id(round_.run_id, round_.number, "train", problem.id, seed),
            run_id=round_.run_id,
            round=round_.number,
            problem_id=problem.id,
            purpose="train",
            seed=seed,
            policy_id=round_.policy_id,
            ppm_id=round_.ppm_id,
        )


async def _free(limit: trio.Semaphore) -> int:
    """Wait until at least one more may be in flight; how many may."""
    async with limit:
        return limit.value + 1
