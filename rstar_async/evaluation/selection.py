"""Choosing one answer among those a search found (paper section 4; spec section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from rstar_async.search.tree import Tree, TreeNode


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen answer; `found` counts all answers of the search."""

    answer: str
    is_correct: bool | None
    path: str
    found: int


def choose_answer(tree: Tree) -> Choice | None:
    """The answer with the highest PPM value; without a PPM, the most frequent one."""
    answers = list(tree.answers())
    if not answers:
        return None
    scored = [a for a in answers if a.candidate.prior is not None]
    best = max(scored, key=_prior) if scored else _majority(answers)
    return Choice(best.candidate.answer, best.candidate.is_correct, best.path, len(answers))


def _prior(node: TreeNode) -> float:
    assert node.candidate.prior is not None
    return node.candidate.prior


def _majority(answers: Iterable[TreeNode]) -> TreeNode:
    """A node of the largest group of equal answer texts; the earliest found wins ties."""
    groups: dict[str, list[TreeNode]] = {}
    for node in answers:
        groups.setdefault(node.candidate.answer, []).append(node)
    return max(groups.values(), key=len)[0]
