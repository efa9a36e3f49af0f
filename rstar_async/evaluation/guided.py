"""Step-by-step sampling that the PPM guides: a step is drawn again only where the PPM doubts it.

Best-of-n samples whole solutions, and one wrong step spoils a solution; a beam pays for a fixed
number of candidates at every step, also where the first was right. Here candidates are drawn one at
a time, and the first that the PPM finds likely enough to be right is taken. The tokens that this
saves pay for further passes, which are independent of each other.
"""

import math
from collections.abc import Sequence

from rstar_async.config import EvaluationConfig
from rstar_async.evaluation.beam import best
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.selection import BEST_PPM, MAJORITY, PASS_AT_N, PPM_WEIGHTED
from rstar_async.evaluation.strategy import Strategy
from rstar_async.search.expander import Expander
from rstar_async.search.tree import TreeNode


class GuidedSampling(Strategy):
    """One pass is one trajectory. Without a PPM nothing could refuse a step.

    Passes vote: the PPM has chosen their steps already, so its values hardly tell them apart.
    """

    name = "guided"
    title = "guided sampling"
    rules = (MAJORITY, PPM_WEIGHTED, BEST_PPM, PASS_AT_N)
    needs_ppm = True

    def own_settings(self, evaluation: EvaluationConfig) -> Sequence[object]:
        return evaluation.guided_candidates, evaluation.accept

    async def grow(
        self, expander: Expander, tree: RecordedTree, evaluation: EvaluationConfig
    ) -> None:
        """One pass from the question to an answer, or to a step without a next one that runs."""
        node: TreeNode | None = tree.root
        while node is not None and node.status.is_open:
            node = await _next_step(expander, tree, node, evaluation)


async def _next_step(
    expander: Expander, tree: RecordedTree, node: TreeNode, evaluation: EvaluationConfig
) -> TreeNode | None:
    """The first candidate that is accepted, else the best of all that were drawn; None if none of
    them ran."""
    raw: dict[str, float] = {}
    for draw in range(evaluation.guided_candidates):
        expansion = await expander.expand(node, 1, draw=draw)
        [(child, step)] = tree.add(node, expansion)
        if step.score is not None:
            raw[child.path] = step.score
            if probability(step.score) >= evaluation.accept:
                return child
    kept = best(node.children, 1, lambda child: raw.get(child.path, -math.inf))
    return kept[0] if kept else None


def probability(raw: float) -> float:
    """That a step is right, from the PPM's raw score of it, as its cross-entropy loss means it."""
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, raw))))
