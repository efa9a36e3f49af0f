"""Makes the attempts of a study, many at once, and reads them back from the store.

Whatever an attempt came to is read from stored rows, whether it was made now or in an earlier life;
so a study that was killed goes on, and its figures are those of one that was not.
"""

import logging

import trio
from msgspec import structs

from rstar_async.errors import JobFailed
from rstar_async.evaluation.beam import beam_search
from rstar_async.evaluation.dependencies import Dependencies
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.sampling import sample
from rstar_async.evaluation.settings import SAMPLES_IN_BATCH, EvaluationSettings, Method
from rstar_async.wire.exception_groups import single
from storage import queries
from storage.queries import Attempt
from storage.records import Problem, Search, SearchProgress

log = logging.getLogger(__name__)


class Attempts:
    """All attempts of one study."""

    def __init__(self, study: EvaluationSettings, services: Dependencies) -> None:
        self._study = study
        self._runner = services.runner
        self._store = services.store
        self._room = trio.Semaphore(study.search.in_flight)

    async def make(self, method: Method, problem: Problem, number: int) -> Attempt:
        """Attempt `number` at the problem, made if the store does not have it; failed if its jobs
        failed for good."""
        row = self._study.attempt(method, problem, number)
        found = await self._store.read(queries.attempt, row.id)
        if found is None:
            await self._store.commit(row)
        if found is None or found.search.status not in ("finished", "failed"):
            async with self._room:
                started = structs.replace(found.search, seed=row.seed) if found else row
                await self._run(method, problem, started)
            found = await self._store.read(queries.attempt, row.id)
        assert found is not None
        return found

    async def _run(self, method: Method, problem: Problem, search: Search) -> None:
        plan = self._study.plan(method)
        if method == "tree":
            await self._runner.search_all([search], {problem.id: problem}, plan)
            return
        growth = RecordedTree()
        try:
            await self._grow(method, problem, search, growth)
        except* JobFailed as failures:
            log.error("attempt failed search=%s: %s", search.id, single(failures))
            await self._store.commit(_failed(search, str(single(failures))))
        else:
            await self._store.commit(*growth.records(search, plan.models))
        finally:
            self._runner.end_tree(search.id)

    async def _grow(
        self, method: Method, problem: Problem, search: Search, growth: RecordedTree
    ) -> None:
        expander = self._runner.expander_of(search, problem, self._study.plan(method))
        if method == "beam":
            evaluation = self._study.evaluation
            width, candidates = evaluation.beam_width, evaluation.beam_candidates
            await beam_search(expander, growth, width, candidates)
        else:
            await sample(expander, growth, SAMPLES_IN_BATCH if method == "sample" else 1)


def _failed(search: Search, reason: str) -> SearchProgress:
    return SearchProgress(search.id, "failed", rollouts=0, expansions=0, failure=reason)
