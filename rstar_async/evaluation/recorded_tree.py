"""A tree that is grown by a plan instead of by selection, such as by sampling or by beam search.

It is kept whole in memory and stored in one transaction at its end, so an attempt that was cut off
leaves nothing and is made again.
"""

import time
from collections.abc import Iterator

from rstar_async.search.expansion import ExpansionResult, StepResult
from rstar_async.search.models import ActiveModels
from rstar_async.search.persistence import expansion_row, node_rows, root_row
from rstar_async.search.tree import Selection, Tree, TreeNode
from storage.records import Record, Search, SearchProgress


class RecordedTree:
    """The tree and, in order, every expansion that made it."""

    def __init__(self) -> None:
        self.tree = Tree(Selection())
        self.new_tokens = 0
        self._expansions: list[tuple[TreeNode, list[TreeNode], ExpansionResult]] = []
        self._started_at = time.time()

    def add(self, node: TreeNode, expansion: ExpansionResult) -> list[tuple[TreeNode, StepResult]]:
        """Hang the outcomes below `node`."""
        children = self.tree.expand(node, [outcome.candidate() for outcome in expansion.steps])
        self.new_tokens += expansion.new_tokens
        self._expansions.append((node, children, expansion))
        return list(zip(children, expansion.steps, strict=True))

    def records(self, search: Search, models: ActiveModels) -> Iterator[Record]:
        """The finished search with all its rows."""
        yield root_row(search.id, self.tree, models)
        for number, (node, children, expansion) in enumerate(self._expansions, start=1):
            yield expansion_row(search.id, number, node, expansion)
            yield from node_rows(search.id, number, children, expansion)
        now = time.time()
        yield SearchProgress(
            search_id=search.id,
            status="finished",
            rollouts=1,
            expansions=len(self._expansions),
            solved=any(node.candidate.is_correct for node in self.tree.answers()),
            started_at=self._started_at,
            finished_at=now,
            seconds=now - self._started_at,
        )
