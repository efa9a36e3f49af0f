"""What a search of one problem brings back."""

from dataclasses import dataclass

from rstar_async.config import AnswerRule
from rstar_async.data.trajectories import best_trajectories
from rstar_async.evaluation.selection import Proposal, answer_of_tree
from rstar_async.search.tree import Tree, TreeNode


@dataclass(frozen=True, slots=True)
class SearchStatistics:
    """`nodes` without the root, `tokens` sampled from the policy, `seconds` of searching, and
    `cpu_seconds` of the executed programs."""

    rollouts: int
    nodes: int
    answers: int
    tokens: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best solution that a search found, and its tree.

    `answer` is "" and `path` is empty if no path came to an answer. `is_correct` is None if there
    was nothing to verify the answer with, or if verification was undecided. `path` goes from the
    first step to the answer; each node has its text, Q and visits.
    """

    question: str
    answer: str
    is_correct: bool | None
    path: tuple[TreeNode, ...]
    tree: Tree
    statistics: SearchStatistics

    @property
    def text(self) -> str:
        """The solution as the policy wrote it."""
        return "".join(node.candidate.text for node in self.path)


def best_answer(tree: Tree, groups: dict[str, str], rule: AnswerRule) -> TreeNode | None:
    """By mean Q among the right ones; if none is known to be right, by `rule` among all."""
    if right := best_trajectories({"": tree}, 1):
        return tree.nodes[right[0].path]
    found = [
        Proposal(
            answer=node.candidate.answer,
            is_correct=node.candidate.is_correct,
            score=node.candidate.prior,
            group=groups[node.candidate.answer],
            path=node.path,
        )
        for node in tree.answers()
        if node.candidate.answer
    ]
    best = answer_of_tree(found, rule)
    return tree.nodes[best.path] if best else None
