"""One evaluation from its order to its stored table: every problem at once, no barrier."""

import time
from collections.abc import Callable, Mapping, Sequence

import trio

from rstar_async.evaluation import results
from rstar_async.evaluation.aggregation import (
    Trajectories,
    answers_in,
    trajectories_of,
)
from rstar_async.evaluation.baselines import ProblemRecord, run_baselines
from rstar_async.evaluation.dependencies import Dependencies
from rstar_async.evaluation.request import EvaluationRequest, Results
from rstar_async.evaluation.runner import Attempts
from rstar_async.evaluation.settings import EvaluationSettings, Method
from rstar_async.evaluation.table import rows, token_savings
from storage import queries
from storage.queries import Attempt
from storage.records import ModelVersion, Problem

RIVALS: tuple[Method, ...] = ("greedy", "sample", "beam")


class EvaluationRun:
    """Runs one order. `made` is told of every attempt, made now or read from the store."""

    def __init__(
        self,
        order: EvaluationRequest,
        study: EvaluationSettings,
        services: Dependencies,
        made: Callable[[Problem, Method, Attempt], None],
    ) -> None:
        self._order = order
        self._study = study
        self._attempts = Attempts(study, services)
        self._store = services.store
        self._runner = services.runner
        self._made = made
        self._room = trio.Semaphore(study.search.in_flight)
        self._results: dict[str, Mapping[Method, Trajectories]] = {}

    async def run(self, problems: Sequence[Problem]) -> Results:
        """Make what is missing, the first problems first, then store the table and return it."""
        started, started_at = time.monotonic(), time.time()
        fresh: list[int] = []
        async with trio.open_nursery() as nursery:
            for problem in problems:
                await self._room.acquire()
                nursery.start_soon(self._examine, problem, started_at, fresh)
        in_order = {p.id: self._results[p.id] for p in problems}
        has_ppm = self._study.models.ppm is not None
        table = list(rows(in_order, self._counts, has_ppm=has_ppm))
        for row in table:
            await self._store.commit(*results.records(self._order, self._study, row, problems))
        seconds = time.monotonic() - started
        few = token_savings(in_order, self._counts[-1])
        ppm = await self._ppm()
        return results.results(self._order, self._study, table, sum(fresh), seconds, few, ppm)

    async def _ppm(self) -> ModelVersion | None:
        """As its training left it; a PPM that was published elsewhere is not known here."""
        name = self._study.models.ppm
        return await self._store.read(queries.model_version, name) if name else None

    @property
    def _counts(self) -> list[int]:
        return sorted(set(self._study.evaluation.trajectories))

    async def _examine(self, problem: Problem, started_at: float, fresh: list[int]) -> None:
        def made(method: Method, attempt: Attempt) -> None:
            if (attempt.search.finished_at or 0.0) >= started_at:
                fresh.append(attempt.new_tokens)
            self._made(problem, method, attempt)

        try:
            record = await run_baselines(
                self._attempts, problem, self._counts[-1], self._rivals, made
            )
            self._results[problem.id] = await self._trajectories(record)
        finally:
            self._room.release()

    @property
    def _rivals(self) -> tuple[Method, ...]:
        """Without a PPM there is no beam search: nothing would tell the beams apart."""
        asked = [method for method in RIVALS if method in self._order.rivals]
        return tuple(m for m in asked if m != "beam" or self._study.models.ppm is not None)

    async def _trajectories(self, record: ProblemRecord) -> dict[Method, Trajectories]:
        every = [attempt for attempts in record.attempts.values() for attempt in attempts]
        groups = await self._runner.group_answers(record.problem, answers_in(every))
        return {
            method: trajectories_of(method, attempts, groups, self._study.evaluation.answer)
            for method, attempts in record.attempts.items()
        }
