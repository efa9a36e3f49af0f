"""Choosing one answer among several proposals (paper section 4; spec section 6). Pure.

A proposal is what one trajectory came to: the answer, what the PPM thinks of it, and the group of
answers that mean the same. None of the rules but `oracle` looks at whether a proposal is right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.config import AnswerRule
from rstar_async.search.budget import confidence_in_leader
from rstar_async.search.tree import Tree, TreeNode

BEST_FEW = 4
SURE = 0.95


@dataclass(frozen=True, slots=True)
class Proposal:
    """One answer. `score` is the PPM's value of it in [-1, 1], None without a PPM."""

    answer: str
    is_correct: bool | None
    score: float | None = None
    group: str = ""
    path: str = ""


Rule: TypeAlias = Callable[[Sequence[Proposal]], Proposal | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen answer; `found` counts all answers of the search."""

    answer: str
    is_correct: bool | None
    path: str
    found: int


def choose_answer(tree: Tree, rule: AnswerRule = "best_ppm") -> Choice | None:
    """The answer of one tree by one of `RULES`; without a PPM, the most frequent one."""
    found = [_proposal(node) for node in tree.answers()]
    best = answer_of_tree(found, rule)
    return Choice(best.answer, best.is_correct, best.path, len(found)) if best else None


def answer_of_tree(found: Sequence[Proposal], rule: AnswerRule) -> Proposal | None:
    """The answer that a tree gives, by one of `RULES`; without a PPM, the most frequent one."""
    return RULES[rule](found) or majority(found)


def best_ppm(found: Sequence[Proposal]) -> Proposal | None:
    """The highest PPM value, the earliest of equals (paper); None if nothing has one."""
    scored = [one for one in found if one.score is not None]
    return max(scored, key=_score, default=None)


def majority(found: Sequence[Proposal]) -> Proposal | None:
    """A proposal of the largest group; ties go to the best PPM value, then to the earliest."""
    return _largest(found, lambda group: (len(group), max(map(_score, group))))


def ppm_weighted(found: Sequence[Proposal]) -> Proposal | None:
    """A proposal of the group with the greatest sum of PPM values, moved from [-1, 1] to [0, 1]."""
    scored = [one for one in found if one.score is not None]
    return _largest(scored, lambda group: sum((1 + _score(one)) / 2 for one in group))


def majority_of_best(found: Sequence[Proposal]) -> Proposal | None:
    """Majority among the four with the highest PPM values (reference code)."""
    scored = [one for one in found if one.score is not None]
    return majority(sorted(scored, key=_score, reverse=True)[:BEST_FEW])


def oracle(found: Sequence[Proposal]) -> Proposal | None:
    """A right one if there is any: pass@n, the ceiling of every rule."""
    return next((one for one in found if one.is_correct), None)


def until_sure(
    drawn: Sequence[Proposal | None], confidence: float = SURE
) -> Sequence[Proposal | None]:
    """The first of them, up to where the leading answer is so likely to stay ahead that no more
    need be drawn (adaptive consistency, arXiv 2305.11860); all of them if it never is."""
    votes: Counter[str] = Counter()
    for number, one in enumerate(drawn, start=1):
        if one is not None:
            votes[one.group or one.answer] += 1
            leading = (count for _, count in votes.most_common(2))
            if confidence_in_leader(*leading) >= confidence:
                return drawn[:number]
    return drawn


RULES: dict[AnswerRule, Rule] = {
    "best_ppm": best_ppm,
    "majority": majority,
    "ppm_weighted": ppm_weighted,
    "majority_of_best": majority_of_best,
}


def _largest(
    found: Iterable[Proposal], size: Callable[[list[Proposal]], float | tuple[float, ...]]
) -> Proposal | None:
    groups: dict[str, list[Proposal]] = {}
    for one in found:
        groups.setdefault(one.group or one.answer, []).append(one)
    largest = max(groups.values(), key=size, default=None)
    return max(largest, key=_score) if largest else None


def _score(one: Proposal) -> float:
    return -1.0 if one.score is None else one.score


def _proposal(node: TreeNode) -> Proposal:
    candidate = node.candidate
    return Proposal(candidate.answer, candidate.is_correct, candidate.prior, path=node.path)
