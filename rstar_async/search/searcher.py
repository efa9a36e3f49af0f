"""Grows one tree: select, expand, commit. While an expansion is being committed the next one is
under way already; it is taken only when that commit is durable, so the store lacks no parent.

Up to `parallel` nodes are expanded at once. The nodes being expanded are part of what is committed
(`cursor`), and expansions are taken in the order they began, so a new searcher over the stored tree
asks for the same expansions again and grows the tree that would have been grown without a crash.
"""

import math
import time
from collections import deque

from msgspec import structs

from rstar_async.search.budget import Budget, Spent, is_solved
from rstar_async.search.expander import Expander
from rstar_async.search.expansion import ExpansionResult
from rstar_async.search.in_flight import open_in_flight
from rstar_async.search.metrics import count_expansion, count_search
from rstar_async.search.models import ActiveModels
from rstar_async.search.persistence import expansion_row, node_rows, root_row, statistics_rows
from rstar_async.search.tree import Tree, TreeNode
from storage.records import Record, Search, SearchProgress, SearchStatus
from storage.store import Store

BETWEEN_CURSORS = " "


class Searcher:
    """One search of one problem; `spent` is what it had used when its tree was stored."""

    def __init__(
        self,
        search: Search,
        tree: Tree,
        spent: Spent,
        expander: Expander,
        models: ActiveModels,
        store: Store,
        *,
        budget: Budget,
        candidates: int,
        parallel: int = 1,
    ) -> None:
        self._search = search
        self._tree = tree
        self._spent = spent
        self._expander = expander
        self._models = models
        self._store = store
        self._budget = budget
        self._candidates = candidates
        self._parallel = parallel
        self._expansions = search.expansions
        self._cursors: deque[TreeNode] = deque()
        self._seconds_before = search.seconds
        self._started_at = time.time()

    async def run(self) -> Tree:
        """Search until the budget is spent or nothing is left to expand."""
        for path in self._search.cursor.split(BETWEEN_CURSORS) if self._search.cursor else ():
            self._enter(self._tree.nodes[path])
        self._begin_rollouts()
        if not self._expansions:
            await self._store.commit(self._root_row(), self._progress("running"))
        async with open_in_flight(self._expand) as lanes:
            lanes.begin(self._cursors)
            while self._cursors and (done := await lanes.first(self._seconds_left())) is not None:
                rows = self._grow(*done)
                self._go_on_from(done[0])
                lanes.begin([*self._cursors][len(lanes) :])
                await self._store.commit(*rows, self._progress("running"))
                count_expansion(self._search.purpose, rows)
        await self._store.commit(self._conclusion())
        count_search(self._search.purpose, "finished")
        return self._tree

    async def give_up(self, reason: str) -> None:
        """Mark the search as failed where it stands; what was stored stays."""
        await self._store.commit(structs.replace(self._progress("failed"), failure=reason))
        count_search(self._search.purpose, "failed")

    async def _expand(self, node: TreeNode) -> ExpansionResult:
        return await self._expander.expand(node, self._candidates, self._spent.rollouts)

    def _grow(self, node: TreeNode, expanded: ExpansionResult) -> list[Record]:
        """Add the candidates to the tree; the rows that make it durable."""
        self._leave(node)
        backed_up = self._tree.root.visits
        children = self._tree.expand(node, [o.candidate() for o in expanded.outcomes])
        has_changed = self._tree.root.visits > backed_up
        self._expansions += 1
        self._spent.nodes += len(children)
        self._spent.tokens += expanded.new_tokens
        self._spent.cpu_seconds += expanded.cpu_seconds
        return [
            expansion_row(self._search.id, self._expansions, node, expanded),
            *node_rows(self._search.id, self._expansions, children, expanded),
            *(statistics_rows(self._search.id, node) if has_changed else ()),
        ]

    def _go_on_from(self, node: TreeNode) -> None:
        """Descend to the best child; without one the rollout is complete and another may begin."""
        self._spent.seconds = self._seconds()
        if self._budget.overdrawn(self._spent):
            return
        if (child := self._tree.best_child(node)) is not None:
            self._enter(child)
        else:
            self._spent.rollouts += 1
        self._begin_rollouts()

    def _begin_rollouts(self) -> None:
        while len(self._cursors) < self._parallel:
            if self._budget.end(self._spent, self._tree, len(self._cursors)) is not None:
                return
            if (node := self._tree.select()) is None:
                return
            self._enter(node)

    def _enter(self, node: TreeNode) -> None:
        self._tree.hold(node)
        self._cursors.append(node)

    def _leave(self, node: TreeNode) -> None:
        self._tree.release(node)
        self._cursors.remove(node)

    def _seconds(self) -> float:
        """Of searching, pauses between runs left out."""
        return self._seconds_before + time.time() - self._started_at

    def _seconds_left(self) -> float:
        bound = self._budget.seconds
        return max(0.0, bound - self._seconds()) if bound else math.inf

    def _root_row(self) -> Record:
        return root_row(self._search.id, self._tree, self._models)

    def _conclusion(self) -> SearchProgress:
        """A search that left expansions under way was out of time."""
        in_time = self._budget.end(self._spent, self._tree) or "exhausted"
        return structs.replace(
            self._progress("finished"),
            cursor="",
            solved=is_solved(self._tree),
            ended="seconds" if self._cursors else in_time,
            finished_at=time.time(),
        )

    def _progress(self, status: SearchStatus) -> SearchProgress:
        return SearchProgress(
            search_id=self._search.id,
            status=status,
            rollouts=self._spent.rollouts,
            expansions=self._expansions,
            cursor=BETWEEN_CURSORS.join(node.path for node in self._cursors),
            started_at=self._search.started_at or self._started_at,
            seconds=self._seconds(),
        )
