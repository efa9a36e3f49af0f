"""The contents of a report as plain values: for JSON, the page and Markdown."""

import msgspec

from rstar_async.reports.round_rows import RoundRow


class Coverage(msgspec.Struct, frozen=True):
    """Problems of one level, and how many of them were solved in search."""

    level: str
    problems: int
    solved: int


class Difficulty(msgspec.Struct, frozen=True):
    """The paper's classes: all answers right, some, none."""

    easy: int
    medium: int
    hard: int


class Cost(msgspec.Struct, frozen=True):
    """The cost of the solutions that the round's policy was trained on.

    The `kept` solutions come from the searches of the rounds in `over`; the other figures are per
    kept solution, None without one. `price` follows from the given price of an hour.
    """

    kept: int
    over: list[int]
    tokens: float | None
    cpu_seconds: float | None
    wall_seconds: float | None
    price: float | None


class Rollouts(msgspec.Struct, frozen=True):
    """Finished searches by what ended them. `spent` rollouts would have been `fixed` if every
    search had been given as many as the hardest problem may get."""

    searches: int
    spent: int
    fixed: int
    ended: dict[str, int]


class Heldout(msgspec.Struct, frozen=True):
    """The policy's samples on held-out problems: right, wrong, and those without an answer.

    `gain` is the rise of pass@1 since the bootstrap, paired by problem, with its 95 % interval.
    """

    right: int
    wrong: int
    unanswered: int
    gain: tuple[float, float, float] | None


class RoundDetails(msgspec.Struct, frozen=True):
    """One round in detail; the bootstrap has only its row."""

    row: RoundRow
    coverage: list[Coverage]
    difficulty: Difficulty | None
    heldout: Heldout | None
    q: dict[str, list[int]] | None
    ppm: dict[str, list[int]] | None
    pairs: dict[str, int]
    errors: dict[str, int]
    endings: dict[str, int]
    rollouts: Rollouts
    generate_seconds: float
    execute_seconds: float
    score_seconds: float
    cost: Cost | None
    training: dict[str, dict[str, float]]


class Point(msgspec.Struct, frozen=True):
    """One accuracy with its 95 % interval, tokens and seconds per problem."""

    trajectories: int
    accuracy: float
    low: float
    high: float
    tokens: float
    seconds: float


class Scaling(msgspec.Struct, frozen=True):
    """One evaluation over the number of trajectories; curves by method and rule. `measured` of the
    `problems` are what every figure is over, None if older figures do not tell; `ppm_note` says why
    the PPM was left out or is doubtful."""

    round: int
    benchmark: str
    policy_id: str
    ppm_id: str | None
    problems: int
    settings: dict[str, float]
    curves: dict[str, list[Point]]
    measured: int | None = None
    ppm_note: str = ""


class Example(msgspec.Struct, frozen=True):
    """A solution as the models and the interpreter wrote it."""

    round: int
    question: str
    text: str
    answer: str
    correct: bool
    mean_q: float


class Report(msgspec.Struct, frozen=True):
    """A run, finished or not."""

    run: str
    database: str
    code_version: str
    seed: int
    seconds: float
    settings: dict[str, str]
    rounds: list[RoundDetails]
    test_time: list[Scaling]
    examples: list[Example]
