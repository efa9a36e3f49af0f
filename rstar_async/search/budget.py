"""When a search ends. Pure: decides from what was spent and found.

Rollouts are the paper's measure: a number for every problem, and more for unsolved ones. The other
bounds limit the cost of single problems. `confidence` ends a search whose answers agree (adaptive
consistency, arXiv 2305.11860), which saves most on easy problems.
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
    """What a search has used: completed rollouts, nodes without the root, sampled tokens, seconds
    without the pauses between runs, and CPU seconds of the executed programs."""

    rollouts: int = 0
    nodes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one search; 0 is none.

    `unsolved_rollouts` are larger totals for a search without a right answer. With `knows_truth`
    only a right answer can lead; without it the verdicts on answers are not used at all.
    """

    rollouts: int
    unsolved_rollouts: tuple[int, ...] = ()
    nodes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    confidence: float = 0.0
    knows_truth: bool = True

    def end(self, spent: Spent, tree: Tree, in_flight: int = 0) -> End | None:
        """Why no rollout may begin beside the `in_flight` ones, or None if one may."""
        if spent.rollouts + in_flight >= self.rollout_limit(spent.rollouts, tree):
            return "rollouts"
        return self.overdrawn(spent) or ("converged" if self._has_converged(tree) else None)

    def overdrawn(self, spent: Spent) -> End | None:
        """The hard bound that is reached; it ends even a rollout in flight."""
        bounds: tuple[tuple[End, float, float], ...] = (
            ("nodes", spent.nodes, self.nodes),
            ("tokens", spent.tokens, self.tokens),
            ("seconds", spent.seconds, self.seconds),
            ("cpu_seconds", spent.cpu_seconds, self.cpu_seconds),
        )
        return next((end for end, used, bound in bounds if bound and used >= bound), None)

    def rollout_limit(self, done: int, tree: Tree) -> int:
        """The number of rollouts allowed now; a stage that has begun is always completed."""
        for limit in (self.rollouts, *self.unsolved_rollouts):
            if done < limit or (done == limit and self.knows_truth and is_solved(tree)):
                return limit
        return done

    def _has_converged(self, tree: Tree) -> bool:
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
    """Whether the tree holds a right answer."""
    return any(node.candidate.is_correct for node in tree.answers())


def votes(answers: Iterable[TreeNode]) -> Counter[str]:
    """One vote per program, for the answer given most often after it.

    Answers after the same program only repeat its output, so they are not independent.
    """
    programs: dict[str, Counter[str]] = {}
    for node in answers:
        if node.parent is not None and node.candidate.answer:
            programs.setdefault(node.parent.path, Counter())[node.candidate.answer] += 1
    return Counter(given.most_common(1)[0][0] for given in programs.values())


def confidence_in_leader(first: int, second: int = 0) -> float:
    """The probability that an answer with `first` votes is in the long run more frequent than
    another one with `second`: 1 - BetaCDF(1/2; first + 1, second + 1), under a flat prior."""
    trials = first + second + 1
    wins: int = sum(comb(trials, k) for k in range(second + 1, trials + 1))
    return float(wins / 2**trials)
