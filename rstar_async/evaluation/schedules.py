"""Schedules of rollouts compared: what an adaptive one saves, and at which accuracy. Pure.

A fixed schedule gives every tree the same rollouts; an adaptive one ends a tree when its answers
agree (see `search.budget`), so that easy problems take few and hard ones all. Figures are means
over a problem's trees, and schedules are compared problem by problem.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from msgspec import structs

from rstar_async.errors import BadInput
from rstar_async.evaluation.intervals import (
    Share,
    mean_difference,
    ratio_of_means,
    share_with_interval,
)
from rstar_async.evaluation.selection import Trajectory
from rstar_async.evaluation.settings import EvaluationSettings
from storage.queries import Attempt

SEPARATOR = "@"
EXAMPLE = "such as 16,16@0.95"


class Schedule(msgspec.Struct, frozen=True):
    """At most so many rollouts; with a `confidence`, fewer when the leading answer has it."""

    rollouts: int
    confidence: float = 0.0

    def __str__(self) -> str:
        adaptive = f" until {100 * self.confidence:g} % sure" if self.confidence else ""
        return f"{self.rollouts} rollouts{adaptive}"

    def applied_to(self, settings: EvaluationSettings) -> EvaluationSettings:
        """The same settings with this schedule."""
        return replace(
            settings,
            search=structs.replace(settings.search, rollouts=self.rollouts),
            bounds=structs.replace(settings.bounds, confidence=self.confidence),
        )


def parse_schedules(text: str) -> tuple[Schedule, ...]:
    """`16,16@0.95`: two or more different ones; the others are compared with the first."""
    found = tuple(_parse(word.strip()) for word in text.split(","))
    if len(found) < 2 or len(set(found)) < len(found):
        raise BadInput(f"--schedules {text}: give two or more different ones, {EXAMPLE}")
    return found


def _parse(word: str) -> Schedule:
    rollouts, _, confidence = word.partition(SEPARATOR)
    try:
        schedule = Schedule(int(rollouts), float(confidence or 0))
    except ValueError:
        raise BadInput(f"--schedules {word}: give ROLLOUTS or ROLLOUTS@CONFIDENCE") from None
    if schedule.rollouts < 1 or not 0 <= schedule.confidence < 1:
        raise BadInput(f"--schedules {word}: rollouts from 1 up, confidence from 0 to below 1")
    return schedule


@dataclass(frozen=True, slots=True)
class ProblemFigures:
    """The trees of one problem under one schedule: the share of them whose answer is right, tokens
    and rollouts a tree, and how many of them ended because their answers agreed."""

    right: float
    tokens: float
    rollouts: float
    converged: int
    trees: int

    @classmethod
    def of(cls, attempts: Sequence[Attempt], found: Sequence[Trajectory]) -> "ProblemFigures":
        """From the attempts, and from the trajectory of each."""
        given = [trajectory.proposal for trajectory in found]
        return cls(
            _mean([float(one is not None and one.is_correct is True) for one in given]),
            _mean([attempt.new_tokens for attempt in attempts]),
            _mean([attempt.search.rollouts for attempt in attempts]),
            sum(attempt.search.ended == "converged" for attempt in attempts),
            len(attempts),
        )


@dataclass(frozen=True, slots=True)
class ScheduleFigures:
    """One schedule over all problems, in the same order for every schedule."""

    schedule: Schedule
    problems: Sequence[ProblemFigures]

    @property
    def right(self) -> list[float]:
        return [problem.right for problem in self.problems]

    @property
    def tokens(self) -> list[float]:
        return [problem.tokens for problem in self.problems]

    @property
    def rollouts(self) -> list[float]:
        return [problem.rollouts for problem in self.problems]

    @property
    def converged(self) -> float:
        """The share of all trees that ended by agreement."""
        trees = sum(problem.trees for problem in self.problems)
        return sum(problem.converged for problem in self.problems) / (trees or 1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A schedule beside the first one. `tokens` is the part of the first one's tokens that it took,
    `difference` that of its accuracy; both with 95 % intervals over problems."""

    figures: ScheduleFigures
    accuracy: Share
    tokens: Share
    difference: Share


def compare(found: Sequence[ScheduleFigures]) -> list[Comparison]:
    """All of them with the first."""
    first = found[0]
    return [
        Comparison(
            one,
            share_with_interval(one.right),
            ratio_of_means(one.tokens, first.tokens),
            mean_difference(one.right, first.right),
        )
        for one in found
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
