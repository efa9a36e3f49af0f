"""When a search ends. Pure: takes what was spent and found, says whether to go on.

Rollouts are the paper's measure: so many for every problem, more for those still unsolved. The
other bounds protect the machine from single problems, and `confidence` stops a search whose answers
agree (adaptive consistency, arXiv 2305.11860), which is most of the easy ones.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import Literal, TypeAlias

from rstar_async.search.tree import Tree, TreeNode

End: TypeAlias = Literal[
    "rollouts", "exhausted", "converged", "nodes", "tokens", "seconds", "cpu_seconds"
]


@dataclass(slots=True)
class Spent:
    """What a search has used: completed rollouts, nodes without the root, tokens sampled, seconds
    from start to now without pauses, and CPU seconds of its programs."""

    rollouts: int = 0
    nodes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one search; 0 is none.

    `unsolved_rollouts` are totals to which a search without a right answer goes on. With
    `knows_truth` only right answers can convince; without it the gold answer has no say at all.
    """

    rollouts: int
    unsolved_rollouts: tuple[int, ...] = ()
    nodes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    confidence: float = 0.0
    knows_truth: bool = True

    def end(self, spent: Spent, tree: Tree, under_way: int = 0) -> End | None:
        """Why no rollout may begin beside the `under_way` ones, or None."""
        if spent.rollouts + under_way >= self.rollout_limit(spent.rollouts, tree):
            return "rollouts"
        return self.overdrawn(spent) or ("converged" if self._is_convinced(tree) else None)

    def overdrawn(self, spent: Spent) -> End | None:
        """The hard bound that is reached, which ends even a rollout under way."""
        bounds: tuple[tuple[End, float, float], ...] = (
            ("nodes", spent.nodes, self.nodes),
            ("tokens", spent.tokens, self.tokens),
            ("seconds", spent.seconds, self.seconds),
            ("cpu_seconds", spent.cpu_seconds, self.cpu_seconds),
        )
        return next((end for end, used, bound in bounds if bound and used >= bound), None)

    def rollout_limit(self, done: int, tree: Tree) -> int:
        """The total to which rollouts may go now; a stage that was begun is completed."""
        for limit in (self.rollouts, *self.unsolved_rollouts):
            if done < limit or (done == limit and self.knows_truth and is_solved(tree)):
                return limit
        return done

    def _is_convinced(self, tree: Tree) -> bool:
        if not self.confidence:
            return False
        ballot = votes(tree.answers())
        leading = ballot.most_common(2)
        if not leading or confidence_in_leader(*(n for _, n in leading)) < self.confidence:
            return False
        answer = leading[0][0]
        return not self.knows_truth or any(
            node.candidate.is_correct for node in tree.answers() if node.candidate.answer == answer
        )


def is_solved(tree: Tree) -> bool:
    """Has it found a right answer?"""
    return any(node.candidate.is_correct for node in tree.answers())


def votes(answers: Iterable[TreeNode]) -> Counter[str]:
    """One vote per program, for the answer given most often after it.

    The answers after one program only repeat what it printed, so they are no independent evidence.
    """
    programs: dict[str, Counter[str]] = {}
    for node in answers:
        if node.parent is not None and node.candidate.answer:
            programs.setdefault(node.parent.path, Counter())[node.candidate.answer] += 1
    return Counter(given.most_common(1)[0][0] for given in programs.values())


def confidence_in_leader(first: int, second: int = 0) -> float:
    """The probability that an answer with `first` votes is the more frequent one in the long run
    than another with `second`: 1 - BetaCDF(1/2; first + 1, second + 1), under a flat prior."""
    trials = first + second + 1
    wins: int = sum(comb(trials, k) for k in range(second + 1, trials + 1))
    return float(wins / 2**trials)
