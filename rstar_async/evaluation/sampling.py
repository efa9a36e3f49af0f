"""Whole solutions sampled from the policy alone: its pass@1.

Samples that have written the same text so far share their requests and part where they differ, so
`samples` solutions cost far less than as many separate ones and are distributed alike.
"""

from dataclasses import dataclass

import trio

from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.search.expander import Expander
from rstar_async.search.tree import NodeStatus, TreeNode


@dataclass(frozen=True, slots=True)
class SampledSolution:
    """One solution; `is_correct` is False for solutions that never came to an answer."""

    answer: str
    is_correct: bool
    text: str


@dataclass(slots=True)
class SampledSolutions:
    """All solutions of one problem and the tokens they took."""

    solutions: list[SampledSolution]
    new_tokens: int = 0


async def sample_solutions(expander: Expander, samples: int) -> SampledSolutions:
    """Sample `samples` solutions; a solution that stops running or never ends is wrong."""
    growth = RecordedTree()
    leaves = await sample(expander, growth, samples)
    return SampledSolutions([_solution(leaf) for leaf in leaves], growth.new_tokens)


async def sample(expander: Expander, growth: RecordedTree, samples: int) -> list[TreeNode]:
    """Grow a tree of `samples` solutions; the leaf of each, so equal ones more than once."""
    leaves: list[TreeNode] = []

    async def follow(node: TreeNode, count: int) -> None:
        expansion = await expander.expand(node, count)
        async with trio.open_nursery() as nursery:
            for child, outcome in growth.add(node, expansion):
                if child.status is NodeStatus.LIVE:
                    nursery.start_soon(follow, child, outcome.multiplicity)
                else:
                    leaves.extend([child] * outcome.multiplicity)

    await follow(growth.tree.root, samples)
    return leaves


def _solution(leaf: TreeNode) -> SampledSolution:
    text = "".join(node.candidate.text for node in leaf.path_from_root())
    return SampledSolution(leaf.candidate.answer, leaf.candidate.is_correct is True, text)
