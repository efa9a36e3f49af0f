"""Choosing one answer among several (paper section 4). Pure.

`Proposal`s are answers, `Trajectory`s the independent trees or solutions that gave them, `Rule`s
the ways to choose. None of them but `oracle` looks at whether an answer is right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.config import AnswerRule
from rstar_async.search.budget import confidence_in_leader

BEST_FEW = 4
CONFIDENCE = 0.95
# 0 would be a plain vote, infinity the single best. With the default `search.ppm_scale` of 5 a
# weight is exp(2 raw).
ODDS_POWER = 5
SUREST = 1 - 1e-6  # the odds of 1 are infinite


@dataclass(frozen=True, slots=True)
class Proposal:
    """One answer. `score` is the value of the path to it in [-1, 1], None without a PPM; proposals
    with the same `group` are one vote."""

    answer: str
    is_correct: bool | None
    score: float | None = None
    group: str = ""
    path: str = ""

    @property
    def vote(self) -> str:
        return self.group or self.answer


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One independent tree or solution: the answer it gives, None if it came to none, and all
    answers that it found, where that can be more than one."""

    proposal: Proposal | None
    answers: Sequence[Proposal] = ()


Chooser: TypeAlias = Callable[[Sequence[Proposal]], Proposal | None]


def best_ppm(found: Sequence[Proposal]) -> Proposal | None:
    """The highest PPM value, the earliest of equals (paper); None if nothing has one."""
    return max(_scored(found), key=_score, default=None)


def majority(found: Sequence[Proposal]) -> Proposal | None:
    """A proposal of the largest group; ties go to the best PPM value, then to the earliest."""
    return _largest(found, lambda group: (len(group), max(map(_score, group))))


def ppm_weighted(found: Sequence[Proposal]) -> Proposal | None:
    """A proposal of the group with the greatest sum of weights, which are the odds that its PPM
    values give it, to the power of `ODDS_POWER`."""
    return _largest(_scored(found), lambda group: sum(map(_weight, group)))


def majority_of_best(found: Sequence[Proposal]) -> Proposal | None:
    """Majority among the four with the highest PPM values (reference code)."""
    return majority(sorted(_scored(found), key=_score, reverse=True)[:BEST_FEW])


def oracle(found: Sequence[Proposal]) -> Proposal | None:
    """A right one if there is any: pass@n, the ceiling of every rule."""
    return next((one for one in found if one.is_correct), None)


def first(found: Sequence[Proposal]) -> Proposal | None:
    return found[0] if found else None


# How one tree chooses among its own answers: `evaluation.answer` of a recipe.
RULES: dict[AnswerRule, Chooser] = {
    "best_ppm": best_ppm,
    "majority": majority,
    "ppm_weighted": ppm_weighted,
    "majority_of_best": majority_of_best,
}


def answer_of_tree(found: Sequence[Proposal], rule: AnswerRule) -> Proposal | None:
    """The answer that a tree gives, by one of `RULES`; without a PPM, the most frequent one."""
    return RULES[rule](found) or majority(found)


@dataclass(frozen=True, slots=True)
class Rule:
    """How n trajectories give one answer: a row of the table, stored under its name.

    `pooled`: choose among all answers that the trajectories found instead of one of each.
    `adaptive`: draw the trajectories one after the other, and only as many as
    `adaptive_consistency` needs.
    """

    name: str
    choose: Chooser
    needs_ppm: bool = False
    pooled: bool = False
    adaptive: bool = False

    def apply(self, block: Sequence[Trajectory]) -> tuple[Proposal | None, int]:
        """The chosen answer, and how many of the trajectories were drawn for it."""
        drawn = adaptive_consistency(block) if self.adaptive else block
        found = [one for trajectory in drawn for one in self._proposals(trajectory)]
        return self.choose(found), len(drawn)

    def _proposals(self, trajectory: Trajectory) -> Sequence[Proposal]:
        if self.pooled and trajectory.answers:
            return trajectory.answers
        return [trajectory.proposal] if trajectory.proposal else []


PASS_AT_1 = Rule("pass@1", first)
PASS_AT_N = Rule("pass@n", oracle)
BEST_PPM = Rule("best PPM", best_ppm, needs_ppm=True)
MAJORITY = Rule("majority", majority)
POOLED_MAJORITY = Rule("majority of all answers", majority, pooled=True)
PPM_WEIGHTED = Rule("majority weighted by PPM", ppm_weighted, needs_ppm=True, pooled=True)
MAJORITY_OF_BEST = Rule("majority of best 4", majority_of_best, needs_ppm=True)
ADAPTIVE_MAJORITY = Rule(f"majority until {100 * CONFIDENCE:g} % sure", majority, adaptive=True)


def adaptive_consistency(
    drawn: Sequence[Trajectory], confidence: float = CONFIDENCE
) -> Sequence[Trajectory]:
    """The first trajectories, up to where the leading answer is so likely to stay ahead that no
    more need be drawn (arXiv 2305.11860); all of them if it never is."""
    votes: Counter[str] = Counter()
    for number, trajectory in enumerate(drawn, start=1):
        if trajectory.proposal is not None:
            votes[trajectory.proposal.vote] += 1
            leading = (count for _, count in votes.most_common(2))
            if confidence_in_leader(*leading) >= confidence:
                return drawn[:number]
    return drawn


def by_vote(found: Iterable[Proposal]) -> dict[str, list[Proposal]]:
    """The proposals by what they vote for, the earliest vote first."""
    groups: dict[str, list[Proposal]] = {}
    for one in found:
        groups.setdefault(one.vote, []).append(one)
    return groups


def _largest(
    found: Iterable[Proposal], size: Callable[[list[Proposal]], float | tuple[float, ...]]
) -> Proposal | None:
    largest = max(by_vote(found).values(), key=size, default=None)
    return max(largest, key=_score) if largest else None


def _scored(found: Iterable[Proposal]) -> list[Proposal]:
    return [one for one in found if one.score is not None]


def _score(one: Proposal) -> float:
    return -1.0 if one.score is None else one.score


def _weight(one: Proposal) -> float:
    value = max(-SUREST, min(SUREST, _score(one)))
    return ((1 + value) / (1 - value)) ** ODDS_POWER
