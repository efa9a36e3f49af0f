"""Whole solutions sampled from the policy alone.

Samples that have written the same text so far share their requests and part where they differ, so
n solutions cost far less than n separate ones and are distributed alike.
"""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import trio
from msgspec import structs

from rstar_async.config import AnswerRule, EvaluationConfig, SearchConfig
from rstar_async.evaluation.aggregation import proposals_of
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.selection import (
    BEST_PPM,
    MAJORITY,
    PASS_AT_N,
    PPM_WEIGHTED,
    Proposal,
    Rule,
    Trajectory,
)
from rstar_async.evaluation.strategy import Strategy
from rstar_async.search.expander import Expander
from rstar_async.search.tree import NodeStatus, TreeNode
from storage.queries import Attempt


class Sampling(Strategy):
    """An attempt is a batch of solutions; a solution that stops running or never ends is wrong."""

    name = "sample"
    title = "sampled solutions"
    rules: ClassVar[Sequence[Rule]] = (BEST_PPM, PPM_WEIGHTED, MAJORITY, PASS_AT_N)
    alone = "sampled, mean"

    def __init__(self, batch: int = 8) -> None:
        self._batch = batch

    @property
    def width(self) -> int:
        return self._batch

    async def grow(
        self, expander: Expander, tree: RecordedTree, evaluation: EvaluationConfig
    ) -> None:
        """Grow a tree whose leaves are the solutions of the batch."""
        await _follow(expander, tree, tree.root, self._batch)

    def trajectories_of(
        self, attempt: Attempt, groups: Mapping[str, str], rule: AnswerRule
    ) -> list[Trajectory]:
        """One a sample. The rows are in the order of paths, where short solutions come early; any
        few of the shuffled ones are a fair draw."""
        found: list[Proposal | None] = [*proposals_of(attempt, groups)]
        found.extend([None] * (attempt.width - len(found)))
        random.Random(attempt.search.id).shuffle(found)
        return [Trajectory(one) for one in found]


class Greedy(Sampling):
    """The one solution at temperature 0."""

    name = "greedy"
    title = "greedy"
    rules = ()
    at_equal_tokens = False
    alone = "greedy"

    def __init__(self) -> None:
        super().__init__(batch=1)

    def search_settings(self, search: SearchConfig) -> SearchConfig:
        return structs.replace(search, temperature=0.0)


async def _follow(expander: Expander, tree: RecordedTree, node: TreeNode, samples: int) -> None:
    """Continue the `samples` solutions that have come to `node`, to their ends."""
    expansion = await expander.expand(node, samples)
    async with trio.open_nursery() as nursery:
        for child, step in tree.add(node, expansion):
            if child.status is NodeStatus.LIVE:
                nursery.start_soon(_follow, expander, tree, child, step.multiplicity)
