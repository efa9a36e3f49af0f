"""Step beam search: the next steps of all beams compete by their PPM value (paper section 4).

An answer that makes it into the beam is finished and narrows the beam by one, as in the reference
code; there continuations could end below a wrong parent, here the tree itself says whose they are.
"""

from collections.abc import Callable, Iterable, Sequence

import trio

from rstar_async.config import EvaluationConfig
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.selection import BEST_PPM
from rstar_async.evaluation.strategy import Strategy
from rstar_async.search.expander import Expander
from rstar_async.search.tree import NodeStatus, TreeNode


class BeamSearch(Strategy):
    """One pass is one trajectory. Without a PPM nothing would tell the beams apart."""

    name = "beam"
    title = "step beam search"
    rules = (BEST_PPM,)
    needs_ppm = True

    def own_settings(self, evaluation: EvaluationConfig) -> Sequence[object]:
        return evaluation.beam_width, evaluation.beam_candidates

    async def grow(
        self, expander: Expander, tree: RecordedTree, evaluation: EvaluationConfig
    ) -> None:
        """One pass with at most `beam_width` beams and `beam_candidates` next steps a beam."""
        width = evaluation.beam_width
        beams = [tree.root]
        while beams:
            found = await _extend_all(expander, tree, beams, evaluation.beam_candidates)
            kept = best(found, width, expander.value_of_path)
            beams = [node for node in kept if node.status is NodeStatus.LIVE]
            width -= len(kept) - len(beams)


async def _extend_all(
    expander: Expander, tree: RecordedTree, beams: Sequence[TreeNode], candidates: int
) -> list[TreeNode]:
    """The next steps of all beams, in the order of the beams."""
    found: dict[str, list[TreeNode]] = {}

    async def extend(beam: TreeNode) -> None:
        expansion = await expander.expand(beam, candidates)
        found[beam.path] = [child for child, _ in tree.add(beam, expansion)]

    async with trio.open_nursery() as nursery:
        for beam in beams:
            nursery.start_soon(extend, beam)
    return [child for beam in beams for child in found[beam.path]]


def best(
    found: Iterable[TreeNode], width: int, value: Callable[[TreeNode], float]
) -> list[TreeNode]:
    """The `width` nodes with the highest values among those that ran; earliest of equals first.
    Pure."""
    alive = [node for node in found if node.status in (NodeStatus.LIVE, NodeStatus.ANSWER)]
    return sorted(alive, key=value, reverse=True)[:width]
