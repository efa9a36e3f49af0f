"""A comparison of schedules, from its problems to its stored rows: every tree is really grown."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import trio
from msgspec import structs

from rstar_async.evaluation.aggregation import answers_in
from rstar_async.evaluation.attempts import Attempts
from rstar_async.evaluation.results import Interval, interval
from rstar_async.evaluation.schedules import (
    Comparison,
    ProblemFigures,
    Schedule,
    ScheduleFigures,
    compare,
)
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.unmeasured import Unmeasured, failure_in, missing
from rstar_async.search.runner import SearchRunner
from rstar_async.seeding import digest
from storage.queries import Attempt
from storage.records import Evaluation, Problem
from storage.store import Store


class ScheduleResult(msgspec.Struct, frozen=True):
    """One schedule; see `schedules.Comparison`. Rollouts and tokens are means over trees, an
    interval is the figure with its 95 % bounds; the last two compare with the first schedule."""

    schedule: str
    rollouts: float
    converged: float
    tokens: float
    accuracy: Interval
    tokens_share: Interval
    difference: Interval


class ScheduleResults(msgspec.Struct, frozen=True):
    """Schedules on the same problems, `trees` independent trees a problem and schedule.

    Figures are over the `measured` ones of the `problems`. If some could not be measured, `failure`
    says why, and nothing was stored.
    """

    run: str
    round: int
    policy: str
    ppm: str | None
    benchmark: str
    problems: int
    trees: int
    candidates: int
    answer: str
    seed: int
    seconds: float
    rows: list[ScheduleResult]
    ppm_note: str = ""
    measured: int | None = None
    failure: str = ""


class ScheduleComparison:
    """Grows every problem's trees by each schedule; `attempts_under` makes those of one."""

    def __init__(
        self,
        settings: EvaluationSettings,
        attempts_under: Callable[[EvaluationSettings], Attempts],
        runner: SearchRunner,
        store: Store,
    ) -> None:
        self._settings = settings
        self._attempts_under = attempts_under
        self._runner = runner
        self._store = store
        self._trees = max(settings.evaluation.trajectories)

    async def run(
        self, benchmark: str, problems: Sequence[Problem], schedules: Sequence[Schedule]
    ) -> ScheduleResults:
        """Make what is missing, one schedule after the other, then store and return the rows.

        A problem with a tree that failed for good is left out under every schedule, and nothing is
        stored then. Raises `Unmeasured` if no problem could be measured.
        """
        started = time.monotonic()
        made = [await self._trees_under(schedule, problems) for schedule in schedules]
        failures = _failures(problems, made)
        failure = missing(benchmark, failures, len(problems)) if failures else ""
        measured = [problem for problem in problems if problem.id not in failures]
        if not measured and failure:
            raise Unmeasured(failure)
        rows = compare(
            [
                ScheduleFigures(schedule, await self._figures(measured, trees))
                for schedule, trees in zip(schedules, made, strict=True)
            ]
        )
        if not failure:
            await self._store.commit(*self._records(benchmark, problems, rows))
        seconds = time.monotonic() - started
        results = self._results(benchmark, len(problems), rows, seconds)
        return structs.replace(results, measured=len(measured), failure=failure)

    async def _trees_under(
        self, schedule: Schedule, problems: Sequence[Problem]
    ) -> dict[str, list[Attempt]]:
        """By problem."""
        attempts = self._attempts_under(schedule.applied_to(self._settings))
        made: dict[str, list[Attempt]] = {}

        async def make(problem: Problem) -> None:
            made[problem.id] = await attempts.make(TREE, problem, range(1, self._trees + 1))

        async with trio.open_nursery() as nursery:
            for problem in problems:
                nursery.start_soon(make, problem)
        return made

    async def _figures(
        self, problems: Sequence[Problem], trees: Mapping[str, list[Attempt]]
    ) -> list[ProblemFigures]:
        return [await self._of_problem(problem, trees[problem.id]) for problem in problems]

    async def _of_problem(self, problem: Problem, attempts: Sequence[Attempt]) -> ProblemFigures:
        groups = await self._runner.group_answers(problem, answers_in(attempts))
        rule = self._settings.evaluation.answer
        return ProblemFigures.of(attempts, TREE.trajectories(attempts, groups, rule))

    def _records(
        self, benchmark: str, problems: Sequence[Problem], rows: Sequence[Comparison]
    ) -> Iterator[Evaluation]:
        """One evaluation a schedule; its settings say what the schedule is and took."""
        first = rows[0].figures.schedule
        for row in rows:
            one = row.figures
            yield self._settings.evaluation_record(
                self._id(benchmark, problems, one.schedule, first),
                f"schedule: {one.schedule}",
                benchmark,
                row.accuracy,
                problems=len(problems),
                samples=self._trees,
                correct=round(sum(one.right)),
                new_tokens=round(sum(one.tokens) * self._trees),
                settings={
                    "measured": len(problems),
                    "rollouts": one.schedule.rollouts,
                    "confidence": one.schedule.confidence,
                    "candidates": self._settings.search.candidates,
                    "seed": self._settings.seed,
                    "trees": self._trees * len(problems),
                    "converged": one.converged,
                    "tokens_against_first": row.tokens.mean,
                    "difference_to_first": row.difference.mean,
                },
            )

    def _id(
        self, benchmark: str, problems: Sequence[Problem], schedule: Schedule, first: Schedule
    ) -> str:
        """Depends on models, settings, benchmark, problems, and the schedule that it is compared
        with: the same comparison, the same row."""
        own = schedule.applied_to(self._settings)
        model = (own.run_id, own.round, own.models.policy, own.models.ppm)
        ids = [problem.id for problem in problems]
        what = (benchmark, *ids, own.encoded(own.evaluation), own.seed)
        return digest("schedule", *model, *what, first).hex()

    def _results(
        self, benchmark: str, problems: int, rows: Sequence[Comparison], seconds: float
    ) -> ScheduleResults:
        settings = self._settings
        return ScheduleResults(
            run=settings.run_id,
            round=settings.round,
            policy=settings.models.policy,
            ppm=settings.models.ppm,
            benchmark=benchmark,
            problems=problems,
            trees=self._trees,
            candidates=settings.search.candidates,
            answer=settings.evaluation.answer,
            seed=settings.seed,
            seconds=seconds,
            rows=[_result(row) for row in rows],
            ppm_note=settings.ppm_note,
        )


def _failures(
    problems: Sequence[Problem], made: Sequence[Mapping[str, list[Attempt]]]
) -> dict[str, str]:
    """Why a tree failed, of each problem that has such a tree under any schedule."""
    reasons = {
        problem.id: failure_in(tree for trees in made for tree in trees[problem.id])
        for problem in problems
    }
    return {problem: reason for problem, reason in reasons.items() if reason}


def _result(row: Comparison) -> ScheduleResult:
    one, count = row.figures, len(row.figures.problems) or 1
    return ScheduleResult(
        schedule=str(one.schedule),
        rollouts=sum(one.rollouts) / count,
        converged=one.converged,
        tokens=sum(one.tokens) / count,
        accuracy=interval(row.accuracy),
        tokens_share=interval(row.tokens),
        difference=interval(row.difference),
    )
