"""Whole solutions sampled from the policy alone: its pass@1.

Samples that have written the same text so far share their requests and part where they differ, so
`samples` solutions cost far less than as many separate ones and are distributed alike.
"""

from dataclasses import dataclass

import trio

from rstar_async.search.expander import Expander
from rstar_async.search.tree import NodeStatus, Selection, Tree, TreeNode


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
    result = SampledSolutions([])
    tree = Tree(Selection())
    await _follow(tree, tree.root, samples, expander, result)
    return result


async def _follow(
    tree: Tree, node: TreeNode, samples: int, expander: Expander, result: SampledSolutions
) -> None:
    expanded = await expander.expand(node, samples)
    result.new_tokens += expanded.new_tokens
    children = tree.expand(node, [o.candidate() for o in expanded.outcomes])
    async with trio.open_nursery() as nursery:
        for child, outcome in zip(children, expanded.outcomes, strict=True):
            if child.status is NodeStatus.LIVE:
                nursery.start_soon(_follow, tree, child, outcome.multiplicity, expander, result)
            else:
                result.solutions.extend([_solution(child)] * outcome.multiplicity)


def _solution(leaf: TreeNode) -> SampledSolution:
    text = "".join(node.candidate.text for node in leaf.line())
    return SampledSolution(leaf.candidate.answer, leaf.candidate.is_correct is True, text)
