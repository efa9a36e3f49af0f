"""The curves of a run's trainings, from the file that the trainer appends to at each step.

For a PPM they include its accuracy on training pairs and held-out pairs. The last line may be
incomplete; a resumed training writes steps again, and the later lines count.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

FILE = Path("training") / "progress.jsonl"
MAX_POINTS = 400


class Step(msgspec.Struct, frozen=True):
    """One line of the file; step 0 only marks the start of a training."""

    phase: str
    round: int
    step: int
    total: int
    loss: float | None = None
    pair_accuracy_train: float | None = None
    pair_accuracy: float | None = None


Points: TypeAlias = list[tuple[int, float]]


class Curve(msgspec.Struct, frozen=True):
    """One training: its progress and the loss of some of its steps, always with the last; for a
    PPM also its accuracy on pairs."""

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
