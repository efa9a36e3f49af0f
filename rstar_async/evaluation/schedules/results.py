"""Schedules that were compared, as records of the store and as the results that are shown."""

from collections.abc import Iterator, Sequence

import msgspec

from rstar_async.evaluation.intervals import Share
from rstar_async.evaluation.request import (
    EvaluationRequest,
    Interval,
    ScheduleResult,
    ScheduleResults,
)
from rstar_async.evaluation.schedules.comparison import Compared
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.seeding import digest
from storage.records import Evaluation


def records(
    order: EvaluationRequest, study: EvaluationSettings, rows: Sequence[Compared]
) -> Iterator[Evaluation]:
    """One evaluation a schedule, of `samples` trees a problem; the settings have what the schedule
    is and took."""
    samples, models = max(study.evaluation.trajectories), study.models
    for row in rows:
        one = row.spending
        yield Evaluation(
            id=evaluation_id(order, study, row),
            run_id=order.run_id,
            round=order.round,
            method=f"schedule: {one.schedule}",
            benchmark=order.benchmark,
            policy_id=models.policy,
            ppm_id=models.ppm,
            problems=len(order.problems),
            samples=samples,
            correct=round(sum(one.right)),
            pass_at_1=row.accuracy.mean,
            low=row.accuracy.low,
            high=row.accuracy.high,
            new_tokens=round(sum(one.tokens) * samples),
            settings={
                "rollouts": one.schedule.rollouts,
                "confidence": one.schedule.confidence,
                "candidates": study.search.candidates,
                "seed": study.seed,
                "trees": samples * len(order.problems),
                "converged": one.converged,
                "tokens_against_first": row.tokens.mean,
                "difference_to_first": row.difference.mean,
            },
        )


def evaluation_id(order: EvaluationRequest, study: EvaluationSettings, row: Compared) -> str:
    """Depends on models, settings, benchmark, problems, and the schedule that it is compared with;
    the same comparison, the same row."""
    models, own = study.models, row.spending.schedule.of(study)
    ways = (own.search, own.execution, own.bounds, own.evaluation)
    what = (order.benchmark, *order.problems, msgspec.json.encode(ways).decode(), own.seed)
    subject = (order.run_id, order.round, models.policy, models.ppm)
    return digest("schedule", *subject, *what, order.schedules[0]).hex()


def results(
    order: EvaluationRequest, study: EvaluationSettings, rows: Sequence[Compared], seconds: float
) -> ScheduleResults:
    """What the command line prints."""
    return ScheduleResults(
        run=order.run_id,
        round=order.round,
        policy=study.models.policy,
        ppm=study.models.ppm,
        benchmark=order.benchmark,
        problems=len(order.problems),
        trees=max(study.evaluation.trajectories),
        candidates=study.search.candidates,
        answer=study.evaluation.answer,
        seed=study.seed,
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
        tokens_share=_interval(row.tokens),
        accuracy=_interval(row.accuracy),
        difference=_interval(row.difference),
    )


def _interval(share: Share) -> Interval:
    return share.mean, share.low, share.high
