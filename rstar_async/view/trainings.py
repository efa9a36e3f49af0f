"""How the trainings of a run go, from the lines that the trainer writes beside them as it trains.
Of a PPM they also say how many pairs it orders right: those it learns from, and held-out ones.

A line may be half written, and a training that began again writes its steps again: the last counts.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

FILE = Path("training") / "progress.jsonl"
MAX_POINTS = 400


class Step(msgspec.Struct, frozen=True):
    """One line of the file; step 0 says only that a training began."""

    phase: str
    round: int
    step: int
    total: int
    loss: float | None = None
    pair_accuracy_train: float | None = None
    pair_accuracy: float | None = None


Points: TypeAlias = list[tuple[int, float]]


class Curve(msgspec.Struct, frozen=True):
    """One training: where it stands, and the loss of some of its steps, the last always; of a PPM
    the shares of pairs that were ordered right, too."""

    phase: str
    round: int
    step: int
    total: int
    points: Points
    accuracy_train: Points = []
    accuracy: Points = []


def curves_in(home: Path) -> list[Curve]:
    """The trainings of the run in `home`, newest first; none if it has not trained."""
    try:
        lines = (home / FILE).read_bytes().splitlines()
    except OSError:
        return []
    return curves(_readable(lines))


def curves(steps: Iterable[Step]) -> list[Curve]:
    """Newest first. Pure."""
    trainings: dict[tuple[int, str], list[Step]] = {}
    for step in steps:
        before = trainings.pop((step.round, step.phase), [])
        kept = [each for each in before if each.step < step.step]
        trainings[step.round, step.phase] = [*kept, step]
    return [_curve(made) for made in reversed(trainings.values())]


def _curve(steps: list[Step]) -> Curve:
    last = steps[-1]
    return Curve(
        last.phase,
        last.round,
        last.step,
        last.total,
        _every_nth((each.step, each.loss) for each in steps),
        _every_nth((each.step, each.pair_accuracy_train) for each in steps),
        _every_nth((each.step, each.pair_accuracy) for each in steps),
    )


def _every_nth(values: Iterable[tuple[int, float | None]]) -> Points:
    points = [(step, value) for step, value in values if value is not None]
    every = -(-len(points) // MAX_POINTS) or 1
    return points[::-1][::every][::-1]


def _readable(lines: Iterable[bytes]) -> Iterable[Step]:
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=Step)
        except msgspec.MsgspecError:
            continue
