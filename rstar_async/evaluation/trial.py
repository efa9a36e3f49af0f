"""A comparison of schedules from its order to its stored rows: every tree is really grown."""

import time
from collections.abc import Callable, Sequence

import msgspec
import trio

from rstar_async.answers.checker import Checker
from rstar_async.evaluation.attempts import Attempts
from rstar_async.evaluation.grouping import group_answers
from rstar_async.evaluation.order import Order, ScheduleResult, ScheduleResults
from rstar_async.evaluation.pools import answers_in, proposals_of
from rstar_async.evaluation.schedules import (
    Compared,
    Schedule,
    Spending,
    compare,
    is_right,
    spending,
)
from rstar_async.evaluation.study import Method, Study
from rstar_async.search.coordinator import Coordinator
from rstar_async.search.identity import digest
from storage.queries import Attempt
from storage.records import Evaluation, Problem
from storage.store import Store


class Trial:
    """Runs one order. `made` is told of every tree, made now or read from the store."""

    def __init__(
        self,
        order: Order,
        study: Study,
        coordinator: Coordinator,
        store: Store,
        checker: Checker,
        made: Callable[[Problem, Method, Attempt], None],
    ) -> None:
        self._order = order
        self._study = study
        self._coordinator = coordinator
        self._store = store
        self._checker = checker
        self._made = made
        self._trees = max(study.evaluation.trajectories)

    async def run(self, problems: Sequence[Problem]) -> ScheduleResults:
        """Make what is missing, one schedule after the other, then store and return the rows."""
        started = time.monotonic()
        found = [await self._spend(schedule, problems) for schedule in self._order.schedules]
        rows = compare(found)
        await self._store.commit(*(self._record(row) for row in rows))
        return self._results(rows, time.monotonic() - started)

    async def _spend(self, schedule: Schedule, problems: Sequence[Problem]) -> Spending:
        study = schedule.of(self._study)
        attempts = Attempts(study, self._coordinator, self._store)
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
        chosen = [await self._judged(study, attempts) for attempts in in_order]
        return spending(schedule, in_order, chosen)

    async def _judged(self, study: Study, attempts: Sequence[Attempt]) -> list[bool]:
        groups = await group_answers(answers_in(attempts), self._checker)
        return [is_right(study, proposals_of(attempt, groups)) for attempt in attempts]

    def _record(self, row: Compared) -> Evaluation:
        """`samples` trees a problem; the settings have what the schedule is and took."""
        models, one = self._study.models, row.spending
        trees = self._trees * len(self._order.problems)
        return Evaluation(
            id=self._evaluation_id(row),
            run_id=self._order.run_id,
            round=self._order.round,
            method=f"schedule: {one.schedule}",
            benchmark=self._order.benchmark,
            policy_id=models.policy,
            ppm_id=models.ppm,
            problems=len(self._order.problems),
            samples=self._trees,
            correct=round(sum(one.right)),
            pass_at_1=row.accuracy.mean,
            low=row.accuracy.low,
            high=row.accuracy.high,
            new_tokens=round(sum(one.tokens) * self._trees),
            settings={
                "rollouts": one.schedule.rollouts,
                "confidence": one.schedule.confidence,
                "candidates": self._study.search.candidates,
                "seed": self._study.seed,
                "trees": trees,
                "converged": one.converged,
                "tokens_against_first": row.tokens.mean,
                "difference_to_first": row.difference.mean,
            },
        )

    def _evaluation_id(self, row: Compared) -> str:
        order, models = self._order, self._study.models
        study = row.spending.schedule.of(self._study)
        ways = (study.search, study.execution, study.bounds, study.evaluation)
        what = (order.benchmark, *order.problems, msgspec.json.encode(ways).decode(), study.seed)
        first = order.schedules[0]
        subject = (order.run_id, order.round, models.policy, models.ppm)
        return digest("schedule", *subject, *what, first).hex()

    def _results(self, rows: Sequence[Compared], seconds: float) -> ScheduleResults:
        return ScheduleResults(
            run=self._order.run_id,
            round=self._order.round,
            policy=self._study.models.policy,
            ppm=self._study.models.ppm,
            benchmark=self._order.benchmark,
            problems=len(self._order.problems),
            trees=self._trees,
            candidates=self._study.search.candidates,
            answer=self._study.evaluation.answer,
            seed=self._study.seed,
            seconds=seconds,
            rows=[_result(row) for row in rows],
        )


def _result(row: Compared) -> ScheduleResult:
    one, count = row.spending, len(row.spending.right) or 1
    return ScheduleResult(
        schedule=str(one.schedule),
        rollouts=sum(one.rollouts) / count,
        converged=one.converged,
        tokens=sum(one.tokens) / count,
        tokens_share=(row.tokens.mean, row.tokens.low, row.tokens.high),
        accuracy=(row.accuracy.mean, row.accuracy.low, row.accuracy.high),
        difference=(row.difference.mean, row.difference.low, row.difference.high),
    )
