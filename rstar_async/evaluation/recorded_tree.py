"""A tree that a strategy grows by its own plan, such as by sampling or by beam search.

It is kept in memory and stored in one transaction at its end.
"""

import time
from collections.abc import Iterator

from rstar_async.evaluation.selection import Proposal
from rstar_async.search.expansion import ExpansionResult, StepResult
from rstar_async.search.models import ActiveModels
from rstar_async.search.paths import path_order
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
        self._began = time.monotonic()

    @property
    def root(self) -> TreeNode:
        return self.tree.root

    def add(self, node: TreeNode, expansion: ExpansionResult) -> list[tuple[TreeNode, StepResult]]:
        """Put the steps below `node`; returns the new nodes, each with the step it was made of."""
        children = self.tree.expand(node, [step.candidate() for step in expansion.steps])
        self.new_tokens += expansion.new_tokens
        self._expansions.append((node, children, expansion))
        return list(zip(children, expansion.steps, strict=True))

    def solutions(self) -> list[tuple[Proposal, str]]:
        """The answer, "" if there is none, and the text of every sampled solution; by path, an
        order that does not depend on timing."""
        in_order = sorted(self._expansions, key=lambda expansion: path_order(expansion[0].path))
        return [
            (_proposal(child), "".join(node.candidate.text for node in child.path_from_root()))
            for _, children, expansion in in_order
            for child, step in zip(children, expansion.steps, strict=True)
            for _ in range(step.multiplicity)
            if not child.status.is_open
        ]

    def records(self, search: Search, models: ActiveModels) -> Iterator[Record]:
        """The finished search with all its rows."""
        yield root_row(search.id, self.tree, models)
        for number, (node, children, expansion) in enumerate(self._expansions, start=1):
            yield expansion_row(search.id, number, node, expansion)
            yield from node_rows(search.id, number, children, expansion)
        yield SearchProgress(
            search_id=search.id,
            status="finished",
            rollouts=1,
            expansions=len(self._expansions),
            solved=any(node.candidate.is_correct for node in self.tree.answers()),
            started_at=self._started_at,
            finished_at=time.time(),
            seconds=time.monotonic() - self._began,
        )


def _proposal(node: TreeNode) -> Proposal:
    step = node.candidate
    return Proposal(step.answer, step.is_correct, step.prior, path=node.path)
