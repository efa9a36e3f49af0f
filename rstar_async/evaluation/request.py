"""What the command line asks of the process that measures or solves, and what that brings back."""

from typing import Literal, TypeAlias

import msgspec

from rstar_async.config import Recipe
from rstar_async.evaluation.schedules.comparison import Schedule

Interval: TypeAlias = tuple[float, float, float]  # a figure, then the bounds of 95 %
Kind: TypeAlias = Literal["evaluate", "schedules", "solve"]


class EvaluationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which models of which run are to try which stored problems.

    `results` is the file to write: `Results` of an evaluation, `ScheduleResults` of a comparison of
    schedules, `Solved` of a single question.
    """

    kind: Kind
    recipe: Recipe
    run_id: str
    round: int
    policy: str
    ppm: str | None
    problems: list[str]
    benchmark: str
    rivals: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    results: str


class Result(msgspec.Struct, frozen=True):
    """One figure of the table; see `table.Row`. The interval holds 95 %."""

    method: str
    rule: str
    trajectories: int
    drawn: float
    accuracy: float
    low: float
    high: float
    tokens: float
    seconds: float
    evaluation_id: str


class Results(msgspec.Struct, frozen=True):
    """The table of one evaluation. `generated` tokens were sampled for it, `seconds` it took;
    both leave out what an earlier evaluation had stored. `pair_accuracy` is that of the PPM on
    held-out problems, if its training told: how far its values can be trusted. `spared` is what
    `table.spared` found for the most trajectories."""

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
    spared: tuple[Interval, Interval] | None = None


class ScheduleResult(msgspec.Struct, frozen=True):
    """One schedule; see `schedules.Compared`. Rollouts and tokens are means over trees, an interval
    is the figure with its 95 % bounds, and the last two compare with the first schedule."""

    schedule: str
    rollouts: float
    converged: float
    tokens: float
    accuracy: Interval
    tokens_share: Interval
    difference: Interval


class ScheduleResults(msgspec.Struct, frozen=True):
    """Schedules on the same problems, `trees` independent trees a problem and schedule."""

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


class Vote(msgspec.Struct, frozen=True):
    """An answer, how many trajectories gave it, and the highest PPM value among them."""

    answer: str
    trajectories: int
    best_score: float | None


class Solved(msgspec.Struct, frozen=True):
    """The answer to one question with the solution it came from; "" and no votes if none came."""

    question: str
    answer: str
    score: float | None
    text: str
    search_id: str
    path: str
    votes: list[Vote]
    trajectories: int
    tokens: int
    seconds: float
