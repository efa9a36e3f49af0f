"""A comparison of schedules from its order to its stored rows: every tree is really grown."""

import time
from collections.abc import Callable, Sequence

import trio

from rstar_async.evaluation.aggregation import answers_in, proposals_of
from rstar_async.evaluation.dependencies import Dependencies
from rstar_async.evaluation.request import EvaluationRequest, ScheduleResults
from rstar_async.evaluation.runner import Attempts
from rstar_async.evaluation.schedules import results
from rstar_async.evaluation.schedules.comparison import (
    Schedule,
    Spending,
    compare,
    is_right,
    spending,
)
from rstar_async.evaluation.settings import EvaluationSettings, Method
from storage.queries import Attempt
from storage.records import Problem


class ScheduleComparison:
    """Runs one order. `made` is told of every tree, made now or read from the store."""

    def __init__(
        self,
        order: EvaluationRequest,
        study: EvaluationSettings,
        services: Dependencies,
        made: Callable[[Problem, Method, Attempt], None],
    ) -> None:
        self._order = order
        self._study = study
        self._services = services
        self._made = made
        self._trees = max(study.evaluation.trajectories)

    async def run(self, problems: Sequence[Problem]) -> ScheduleResults:
        """Make what is missing, one schedule after the other, then store and return the rows."""
        started = time.monotonic()
        found = [await self._spend(schedule, problems) for schedule in self._order.schedules]
        rows = compare(found)
        await self._services.store.commit(*results.records(self._order, self._study, rows))
        seconds = time.monotonic() - started
        return results.results(self._order, self._study, rows, seconds)

    async def _spend(self, schedule: Schedule, problems: Sequence[Problem]) -> Spending:
        study = schedule.of(self._study)
        attempts = Attempts(study, self._services)
        room = trio.Semaphore(study.search.in_flight)
        made: dict[str, list[Attempt]] = {problem.id: [] for problem in problems}

        async def make(problem: Problem, number: int) -> None:
            async with room:
                attempt = await attempts.make("tree", problem, number)
            made[problem.id].append(attempt)
            self._made(problem, "tree", attempt)

        async with trio.open_nursery() as nursery:
            for problem in problems:
                for number in range(1, self._trees + 1):
                    nursery.start_soon(make, problem, number)
        in_order = [made[problem.id] for problem in problems]
        chosen = [
            await self._judged(study, problem, attempts)
            for problem, attempts in zip(problems, in_order, strict=True)
        ]
        return spending(schedule, in_order, chosen)

    async def _judged(
        self, study: EvaluationSettings, problem: Problem, attempts: Sequence[Attempt]
    ) -> list[bool]:
        groups = await self._services.runner.group_answers(problem, answers_in(attempts))
        return [is_right(study, proposals_of(attempt, groups)) for attempt in attempts]
