"""The curves of a run's trainings, from the file that the trainer appends to at each step.

For a PPM they include its accuracy on training pairs and held-out pairs. The last line may be
incomplete; a resumed training writes steps again, and the later lines count.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

from rstar_async.view.growing_file import GrowingFile

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
    time: float | None = None


Points: TypeAlias = list[tuple[int, float]]


class Curve(msgspec.Struct, frozen=True):
    """One training: its progress and the loss of some of its steps, always with the last; for a
    PPM also its accuracy on pairs. `began` and `ended` are the times of its first and last step,
    None if an older version wrote them."""

    phase: str
    round: int
    step: int
    total: int
    points: Points
    accuracy_train: Points = []
    accuracy: Points = []
    began: float | None = None
    ended: float | None = None


def curves(steps: Iterable[Step]) -> list[Curve]:
    """Newest first. Pure."""
    log = TrainingLog()
    for step in steps:
        log.add(step)
    return log.curves()


class Trainings:
    """The trainings of the run in `home`, as far as its file has been read.

    Each call reads only what was written since the last one, and few of many steps are kept. Calls
    may come from several threads.
    """

    def __init__(self, home: Path) -> None:
        self._file = GrowingFile(home / FILE)
        self._lock = threading.Lock()
        self._start_again()

    def curves(self) -> list[Curve]:
        """Newest first; none if the run has not trained."""
        with self._lock:
            for line in self._file.new_lines(self._start_again):
                if step := _readable(line):
                    self._log.add(step)
            return self._log.curves()

    def _start_again(self) -> None:
        self._log = TrainingLog()


class TrainingLog:
    """Turns steps into curves, each step in constant time on average. Pure."""

    def __init__(self) -> None:
        self._trainings: dict[tuple[int, str], _Training] = {}

    def add(self, step: Step) -> None:
        """A training whose step comes again was resumed, or began again."""
        key = step.round, step.phase
        training = self._trainings.pop(key, None) or _Training()
        training.add(step)
        self._trainings[key] = training

    def curves(self) -> list[Curve]:
        """Newest first."""
        return [training.curve() for training in reversed(self._trainings.values())]


class _Training:
    def __init__(self) -> None:
        self._last: Step | None = None
        self._began: float | None = None
        self._loss, self._train, self._heldout = ThinnedPoints(), ThinnedPoints(), ThinnedPoints()

    def add(self, step: Step) -> None:
        self._last = step
        self._began = step.time if self._began is None else self._began
        self._loss.add(step.step, step.loss)
        self._train.add(step.step, step.pair_accuracy_train)
        self._heldout.add(step.step, step.pair_accuracy)

    def curve(self) -> Curve:
        last = self._last
        assert last is not None
        lists = (self._loss.points(), self._train.points(), self._heldout.points())
        return Curve(last.phase, last.round, last.step, last.total, *lists, self._began, last.time)


class ThinnedPoints:
    """Points by step: all of them, or every nth of many, always with the newest."""

    def __init__(self) -> None:
        self._kept: Points = []
        self._newest: tuple[int, float] | None = None
        self._added, self._every = 0, 1

    def add(self, step: int, value: float | None) -> None:
        """Replaces what is known from `step` on; None has no point of its own."""
        while self._kept and self._kept[-1][0] >= step:
            self._kept.pop()
        if self._newest and self._newest[0] >= step:
            self._newest = None
        if value is not None:
            self._keep_newest()
            self._newest = (step, value)
            self._added += 1

    def points(self) -> Points:
        """At most `MAX_POINTS`."""
        points = [*self._kept, self._newest] if self._newest else self._kept
        every = -(-len(points) // MAX_POINTS) or 1
        return points[::-1][::every][::-1]

    def _keep_newest(self) -> None:
        if self._newest and self._added % self._every == 0:
            self._kept.append(self._newest)
        if len(self._kept) > 2 * MAX_POINTS:
            self._kept = self._kept[::2]
            self._every *= 2


def _readable(line: bytes) -> Step | None:
    try:
        return msgspec.json.decode(line, type=Step)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
