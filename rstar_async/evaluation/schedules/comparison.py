"""Schedules of rollouts held against each other: what is saved, and at which accuracy. Pure.

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
from rstar_async.evaluation.selection import Proposal, answer_of_tree
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

    def of(self, study: EvaluationSettings) -> EvaluationSettings:
        """The same study by this schedule."""
        return replace(
            study,
            search=structs.replace(study.search, rollouts=self.rollouts),
            bounds=structs.replace(study.bounds, confidence=self.confidence),
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
class Spending:
    """One schedule's figures, one entry a problem: share of its trees whose answer is right, tokens
    and rollouts a tree. `converged` is the share of all trees that ended by agreement."""

    schedule: Schedule
    right: list[float]
    tokens: list[float]
    rollouts: list[float]
    converged: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A schedule beside the first one. `tokens` is the part of the first one's tokens that it took,
    `difference` that of its accuracy; both with 95 % intervals over problems."""

    spending: Spending
    accuracy: Share
    tokens: Share
    difference: Share


def spending(
    schedule: Schedule, problems: Sequence[Sequence[Attempt]], chosen: Sequence[Sequence[bool]]
) -> Spending:
    """From the attempts at each problem and whether the answer chosen in each is right."""
    every = [attempt for attempts in problems for attempt in attempts]
    converged = sum(attempt.search.ended == "converged" for attempt in every)
    return Spending(
        schedule,
        [_mean([float(right) for right in choices]) for choices in chosen],
        [_mean([attempt.new_tokens for attempt in attempts]) for attempts in problems],
        [_mean([attempt.search.rollouts for attempt in attempts]) for attempts in problems],
        converged / len(every) if every else 0.0,
    )


def compare(found: Sequence[Spending]) -> list[Compared]:
    """All of them with the first."""
    first = found[0]
    return [
        Compared(
            one,
            share_with_interval(one.right),
            ratio_of_means(one.tokens, first.tokens),
            mean_difference(one.right, first.right),
        )
        for one in found
    ]


def is_right(study: EvaluationSettings, proposals: Sequence[Proposal]) -> bool:
    """Is the answer right that the study's rule chooses among a tree's?"""
    chosen = answer_of_tree(proposals, study.evaluation.answer)
    return chosen is not None and chosen.is_correct is True


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
