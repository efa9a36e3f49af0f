"""The table of an evaluation as records of the store, and as the results that are shown."""

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from rstar_async.evaluation.intervals import Share
from rstar_async.evaluation.selection import BEST_PPM, MAJORITY
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.table import Row, lead, token_savings
from rstar_async.seeding import digest
from storage.records import Evaluation, EvaluationAnswer, ModelVersion

# A figure, then the bounds of 95 %; None where a single problem tells of none.
Interval: TypeAlias = tuple[float, float | None, float | None]


class Result(msgspec.Struct, frozen=True):
    """One figure of the table; see `table.Row`. The interval holds 95 %.

    `over_majority` and `over_best_of_n`: how far it is above the majority of samples, and above the
    sample with the highest PPM value, at equal tokens, problem by problem.
    """

    method: str
    rule: str
    trajectories: int
    drawn: float
    accuracy: float
    low: float
    high: float
    tokens: float
    seconds: float
    evaluation_id: str  # "" if it is not stored
    over_majority: Interval | None = None
    over_best_of_n: Interval | None = None


class Results(msgspec.Struct, frozen=True):
    """The table of one evaluation.

    Figures are over the `measured` ones of the `problems`. If some could not be measured, `failure`
    says why, and the table was not stored.

    `generated` tokens were sampled for it, `seconds` it took; both leave out what an earlier
    evaluation had stored. `pair_accuracy` is that of the PPM on held-out pairs, if its training
    told: how far its values can be trusted. `token_savings`: see there. `ppm_note` says why the
    PPM was left out or is doubtful, "" if it is neither.
    """

    run: str
    round: int
    policy: str
    ppm: str | None
    benchmark: str
    problems: int
    seed: int
    rollouts: int
    candidates: int
    beam_width: int
    beam_candidates: int
    generated: int
    seconds: float
    rows: list[Result]
    pair_accuracy: float | None = None
    token_savings: tuple[Interval, Interval] | None = msgspec.field(default=None, name="spared")
    ppm_note: str = ""
    measured: int | None = None
    failure: str = ""


class ResultsOf:
    """The rows of one evaluation on one benchmark, in both forms.

    An id depends on models, settings, benchmark, problems and the figure: the same figure, the
    same row of the store. With a `failure` some problems are missing, and there are no records.
    """

    def __init__(
        self,
        settings: EvaluationSettings,
        benchmark: str,
        problems: Sequence[str],
        failure: str = "",
    ) -> None:
        self._settings = settings
        self._benchmark = benchmark
        self._problems = problems
        self._failure = failure

    def records(self, row: Row) -> Iterator[Evaluation | EvaluationAnswer]:
        """The evaluation of a row, and its choice in the first block of every problem."""
        id_, count = self._id(row), len(self._problems)
        yield self._settings.evaluation_record(
            id_,
            f"{row.method}: {row.rule}",
            self._benchmark,
            row.share,
            problems=count,
            samples=max(1, round(row.drawn)),
            correct=row.correct,
            new_tokens=round(row.tokens * count),
            seconds=row.seconds * count,
            settings=self._figures(row),
        )
        for problem in self._problems:
            choice = row.cells[problem].chosen[0]
            yield EvaluationAnswer(
                evaluation_id=id_,
                problem_id=problem,
                sample=0,
                answer=choice.answer if choice else "",
                correct=choice.is_correct if choice else False,
            )

    def results(
        self, rows: Sequence[Row], generated: int, seconds: float, ppm: ModelVersion | None
    ) -> Results:
        """What the command line prints."""
        settings = self._settings
        tokens, accuracy = token_savings(rows)
        return Results(
            run=settings.run_id,
            round=settings.round,
            policy=settings.models.policy,
            ppm=settings.models.ppm,
            benchmark=self._benchmark,
            problems=len(self._problems),
            seed=settings.seed,
            rollouts=settings.search.rollouts,
            candidates=settings.search.candidates,
            beam_width=settings.evaluation.beam_width,
            beam_candidates=settings.evaluation.beam_candidates,
            generated=generated,
            seconds=seconds,
            rows=[self._result(row, rows) for row in rows],
            pair_accuracy=ppm.metrics.get("pair_accuracy") if ppm else None,
            token_savings=(interval(tokens), interval(accuracy)),
            ppm_note=settings.ppm_note,
            measured=len(rows[0].cells) if rows else 0,
            failure=self._failure,
        )

    def _result(self, row: Row, rows: Sequence[Row]) -> Result:
        over_majority, over_best_of_n = lead(row, rows, MAJORITY), lead(row, rows, BEST_PPM)
        return Result(
            method=row.method,
            rule=row.rule,
            trajectories=row.trajectories,
            drawn=row.drawn,
            accuracy=row.share.mean,
            low=row.share.low,
            high=row.share.high,
            tokens=row.tokens,
            seconds=row.seconds,
            evaluation_id="" if self._failure else self._id(row),
            over_majority=interval(over_majority) if over_majority else None,
            over_best_of_n=interval(over_best_of_n) if over_best_of_n else None,
        )

    def _id(self, row: Row) -> str:
        own = self._settings
        models = (own.models.policy, own.models.ppm)
        what = (self._benchmark, *self._problems, own.encoded(own.evaluation), own.seed)
        figure = (row.method, row.rule, row.trajectories)
        return digest("evaluation", own.run_id, own.round, *models, *what, *figure).hex()

    def _figures(self, row: Row) -> dict[str, object]:
        own = self._settings
        return {
            "measured": len(row.cells),
            "trajectories": row.trajectories,
            "drawn": row.drawn,
            "tokens_per_problem": row.tokens,
            "seconds_per_problem": row.seconds,
            "rollouts": own.search.rollouts,
            "candidates": own.search.candidates,
            "temperature": own.search.temperature,
            "beam_width": own.evaluation.beam_width,
            "beam_candidates": own.evaluation.beam_candidates,
            "seed": own.seed,
        }


def interval(share: Share) -> Interval:
    low, high = (bound if math.isfinite(bound) else None for bound in (share.low, share.high))
    return share.mean, low, high
