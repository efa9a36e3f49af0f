"""The rows of a study as records of the store, and as the results that are shown."""

from collections.abc import Iterator, Sequence

import msgspec

from rstar_async.evaluation.intervals import Share
from rstar_async.evaluation.request import EvaluationRequest, Interval, Result, Results
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.table import Row
from rstar_async.seeding import digest
from storage.records import Evaluation, EvaluationAnswer, ModelVersion, Problem
from storage.records import Record as Stored


def evaluation_id(order: EvaluationRequest, study: EvaluationSettings, row: Row) -> str:
    """Depends on models, settings, benchmark, problems and the figure; the same figure, the same
    row."""
    ways = (study.search, study.execution, study.bounds, study.evaluation)
    settings = msgspec.json.encode(ways).decode()
    models = (study.models.policy, study.models.ppm)
    what = (order.benchmark, *order.problems, settings, study.seed)
    figure = (row.method, row.rule, row.trajectories)
    return digest("evaluation", order.run_id, order.round, *models, *what, *figure).hex()


def records(
    order: EvaluationRequest, study: EvaluationSettings, row: Row, problems: Sequence[Problem]
) -> Iterator[Stored]:
    """The evaluation of a row, with the answer it chose for every problem in its first block."""
    id_ = evaluation_id(order, study, row)
    yield Evaluation(
        id=id_,
        run_id=order.run_id,
        round=order.round,
        method=f"{row.method}: {row.rule}",
        benchmark=order.benchmark,
        policy_id=study.models.policy,
        ppm_id=study.models.ppm,
        problems=len(problems),
        samples=max(1, round(row.drawn)),
        correct=row.correct,
        pass_at_1=row.share.mean,
        low=row.share.low,
        high=row.share.high,
        new_tokens=round(row.tokens * len(problems)),
        seconds=row.seconds * len(problems),
        settings=_settings(study, row),
    )
    for problem in problems:
        choice = row.chosen[problem.id][0]
        yield EvaluationAnswer(
            evaluation_id=id_,
            problem_id=problem.id,
            sample=0,
            answer=choice.answer if choice else "",
            correct=choice.is_correct if choice else False,
        )


def results(
    order: EvaluationRequest,
    study: EvaluationSettings,
    rows: Sequence[Row],
    generated: int,
    seconds: float,
    spared: tuple[Share, Share],
    ppm: ModelVersion | None,
) -> Results:
    """What the command line prints."""
    return Results(
        run=order.run_id,
        round=order.round,
        policy=study.models.policy,
        ppm=study.models.ppm,
        benchmark=order.benchmark,
        problems=len(order.problems),
        seed=study.seed,
        rollouts=study.search.rollouts,
        candidates=study.search.candidates,
        beam_width=study.evaluation.beam_width,
        beam_candidates=study.evaluation.beam_candidates,
        generated=generated,
        seconds=seconds,
        pair_accuracy=ppm.metrics.get("pair_accuracy") if ppm else None,
        spared=(_interval(spared[0]), _interval(spared[1])),
        rows=[
            Result(
                method=row.method,
                rule=row.rule,
                trajectories=row.trajectories,
                drawn=row.drawn,
                accuracy=row.share.mean,
                low=row.share.low,
                high=row.share.high,
                tokens=row.tokens,
                seconds=row.seconds,
                evaluation_id=evaluation_id(order, study, row),
            )
            for row in rows
        ],
    )


def _interval(share: Share) -> Interval:
    return share.mean, share.low, share.high


def _settings(study: EvaluationSettings, row: Row) -> dict[str, object]:
    return {
        "trajectories": row.trajectories,
        "drawn": row.drawn,
        "tokens_per_problem": row.tokens,
        "seconds_per_problem": row.seconds,
        "rollouts": study.search.rollouts,
        "candidates": study.search.candidates,
        "temperature": study.search.temperature,
        "beam_width": study.evaluation.beam_width,
        "beam_candidates": study.evaluation.beam_candidates,
        "seed": study.seed,
    }
