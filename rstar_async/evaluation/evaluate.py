"""One evaluation, from its problems to its stored table: every problem at once, no barrier."""

import time
from collections.abc import Mapping, Sequence

import trio

from rstar_async.errors import JobFailed
from rstar_async.evaluation.aggregation import Trajectories, answers_in
from rstar_async.evaluation.attempts import Attempts, tokens_of
from rstar_async.evaluation.results import Results, ResultsOf
from rstar_async.evaluation.strategies import TREE, in_table_order
from rstar_async.evaluation.strategy import Strategy
from rstar_async.evaluation.table import rows
from rstar_async.evaluation.unmeasured import Unmeasured, failure_in, missing
from rstar_async.search.runner import SearchRunner
from rstar_async.wire.exception_groups import first
from storage import queries
from storage.queries import Attempt
from storage.records import ModelVersion, Problem
from storage.store import Store


class EvaluationRun:
    """Trees, and baselines at equal tokens, on the problems of one benchmark."""

    def __init__(
        self, attempts: Attempts, baselines: Sequence[Strategy], runner: SearchRunner, store: Store
    ) -> None:
        self._attempts = attempts
        self._settings = attempts.settings
        self._has_ppm = self._settings.models.ppm is not None
        self._baselines = [one for one in baselines if self._has_ppm or not one.needs_ppm]
        self._runner = runner
        self._store = store
        self._results: dict[str, Mapping[str, Trajectories]] = {}
        self._failures: dict[str, str] = {}

    async def run(self, benchmark: str, problems: Sequence[Problem]) -> Results:
        """Make the missing attempts, the first problems first; store the table and return it.

        A problem with an attempt that failed for good is left out, and nothing is stored then.
        Raises `Unmeasured` if no problem could be measured.
        """
        started = time.monotonic()
        limit = trio.Semaphore(self._settings.search.in_flight)
        async with trio.open_nursery() as nursery:
            for problem in problems:
                await limit.acquire()
                nursery.start_soon(self._evaluate, problem, limit)
        ids = [problem.id for problem in problems]
        in_order = {id_: self._results[id_] for id_ in ids if id_ in self._results}
        failure = missing(benchmark, self._failures, len(ids)) if self._failures else ""
        if not in_order and failure:
            raise Unmeasured(failure)
        strategies = in_table_order([TREE, *self._baselines])
        table = list(rows(in_order, strategies, self._counts, has_ppm=self._has_ppm))
        results = ResultsOf(self._settings, benchmark, ids, failure)
        if not failure:
            for row in table:
                await self._store.commit(*results.records(row))
        seconds = time.monotonic() - started
        return results.results(table, self._attempts.new_tokens, seconds, await self._ppm())

    async def _evaluate(self, problem: Problem, limit: trio.Semaphore) -> None:
        try:
            attempts = await self._attempts_at(problem)
            if failure := failure_in(one for made in attempts.values() for one in made):
                self._failures[problem.id] = failure
            else:
                self._results[problem.id] = await self._trajectories(problem, attempts)
        except* JobFailed as failures:  # of the comparison of answers
            self._failures[problem.id] = str(first(failures))
        finally:
            limit.release()

    async def _attempts_at(self, problem: Problem) -> Mapping[Strategy, list[Attempt]]:
        """First the trees, then the baselines until they have used as many tokens; the trees alone
        if one of them failed."""
        trees = await self._attempts.make(TREE, problem, range(1, self._counts[-1] + 1))
        found: dict[Strategy, list[Attempt]] = {TREE: trees}
        if failure_in(trees):
            return found

        async def run(strategy: Strategy) -> None:
            if strategy.at_equal_tokens:
                budget = tokens_of(trees)
                made = await self._attempts.make_until_spent(strategy, problem, budget)
            else:
                made = await self._attempts.make(strategy, problem, [1])
            found[strategy] = made

        async with trio.open_nursery() as nursery:
            for strategy in self._baselines:
                nursery.start_soon(run, strategy)
        return found

    async def _trajectories(
        self, problem: Problem, found: Mapping[Strategy, list[Attempt]]
    ) -> Mapping[str, Trajectories]:
        """By strategy; answers of all of them that mean the same are one vote."""
        every = [attempt for attempts in found.values() for attempt in attempts]
        groups = await self._runner.group_answers(problem, answers_in(every))
        rule = self._settings.evaluation.answer
        return {
            strategy.name: Trajectories.of(strategy.trajectories(made, groups, rule), made)
            for strategy, made in found.items()
        }

    async def _ppm(self) -> ModelVersion | None:
        """As its training left it; a PPM that was published elsewhere is not known here."""
        name = self._settings.models.ppm
        return await self._store.read(queries.model_version, name) if name else None

    @property
    def _counts(self) -> list[int]:
        return sorted(set(self._settings.evaluation.trajectories))
