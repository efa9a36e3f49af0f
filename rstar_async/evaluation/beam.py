"""Step beam search: the candidates of all beams compete by their PPM value (paper section 4).

An answer that makes it into the beam is finished and narrows the beam by one, as in the reference
code; there continuations could end below a wrong parent, here the tree itself says whose they are.
"""

from collections.abc import Iterable, Sequence

import trio

from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.search.expander import Expander
from rstar_async.search.tree import NodeStatus, TreeNode


async def beam_search(
    expander: Expander, growth: RecordedTree, width: int, candidates: int
) -> None:
    """Grow a tree with at most `width` beams and `candidates` next steps a beam, to its end."""
    beams = [growth.tree.root]
    while beams:
        found = await _extend_all(expander, growth, beams, candidates)
        kept = best(found, width)
        beams = [node for node in kept if node.status is NodeStatus.LIVE]
        width -= len(kept) - len(beams)


async def _extend_all(
    expander: Expander, growth: RecordedTree, beams: Sequence[TreeNode], candidates: int
) -> list[TreeNode]:
    """The next steps of all beams, in the order of the beams."""
    found: dict[str, list[TreeNode]] = {}

    async def extend(beam: TreeNode) -> None:
        expansion = await expander.expand(beam, candidates)
        found[beam.path] = [child for child, _ in growth.add(beam, expansion)]

    async with trio.open_nursery() as nursery:
        for beam in beams:
            nursery.start_soon(extend, beam)
    return [child for beam in beams for child in found[beam.path]]


def best(found: Iterable[TreeNode], width: int) -> list[TreeNode]:
    """The `width` candidates with the highest PPM values among those that ran; earliest of equals
    first. Pure."""
    alive = [node for node in found if node.status in (NodeStatus.LIVE, NodeStatus.ANSWER)]
    return sorted(alive, key=_value, reverse=True)[:width]


def _value(node: TreeNode) -> float:
    prior = node.candidate.prior
    return -1.0 if prior is None else prior
