"""How hard a problem is for the models that searched it (paper section 3.4). Pure."""

from collections.abc import Iterable
from enum import StrEnum

from rstar_async.search.tree import Tree


class Difficulty(StrEnum):
    """By the answers that the searches of a problem found; undecided ones do not count."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


def difficulty(right: int, wrong: int) -> Difficulty:
    """Easy if all answers are right, hard if none is, or there is none."""
    if not right:
        return Difficulty.HARD
    return Difficulty.MEDIUM if wrong else Difficulty.EASY


def accuracy(trees: Iterable[Tree]) -> float:
    """The share of right answers among the decided ones of one problem; 0 if there are none."""
    verdicts = [node.candidate.is_correct for tree in trees for node in tree.answers()]
    decided = [verdict for verdict in verdicts if verdict is not None]
    return sum(decided) / len(decided) if decided else 0.0
