"""Grows one tree: select, expand, commit. The next expansion begins while the last one is being
committed, and is added only when that commit is durable, so no stored node lacks its parent.

Up to `parallel` nodes are expanded at once. The nodes being expanded are part of each commit
(`cursor`), and expansions are added in the order they began. So a searcher that resumes a stored
tree asks for the same expansions again and grows the tree that an undisturbed one would have grown.
"""

import math
import time
from collections import deque
from collections.abc import Callable

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
    """One search of one problem; `spent` is what it had used when `tree` was stored.

    `now` tells the time of day, which may be set forward or back at any moment; only times that
    people read are taken from it, never a duration.
    """

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
        now: Callable[[], float] = time.time,
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
        self._now = now
        self._started_at = now()
        self._began = time.monotonic()

    async def run(self) -> Tree:
        """Search until the budget is spent or nothing is left to expand."""
        for path in self._search.cursor.split(BETWEEN_CURSORS) if self._search.cursor else ():
            self._enter(self._tree.nodes[path])
        self._begin_rollouts()
        if not self._expansions:
            await self._store.commit(self._root_row(), self._progress("running"))
        async with open_in_flight(self._expand) as in_flight:
            in_flight.begin(self._cursors)
            while self._cursors:
                done = await in_flight.oldest(self._seconds_left())
                if done is None:
                    break
                rows = self._grow(*done)
                self._continue_rollout(done[0])
                in_flight.begin([*self._cursors][len(in_flight) :])
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

    def _grow(self, node: TreeNode, expansion: ExpansionResult) -> list[Record]:
        """Add the candidates to the tree; return the rows to commit."""
        self._leave(node)
        backed_up = self._tree.root.visits
        children = self._tree.expand(node, [step.candidate() for step in expansion.steps])
        has_changed = self._tree.root.visits > backed_up
        self._expansions += 1
        self._spent.nodes += len(children)
        self._spent.tokens += expansion.new_tokens
        self._spent.cpu_seconds += expansion.cpu_seconds
        return [
            expansion_row(self._search.id, self._expansions, node, expansion),
            *node_rows(self._search.id, self._expansions, children, expansion),
            *(statistics_rows(self._search.id, node) if has_changed else ()),
        ]

    def _continue_rollout(self, node: TreeNode) -> None:
        """Descend to the best child; without one the rollout is complete and the next may begin."""
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
        self._tree.reserve(node)
        self._cursors.append(node)

    def _leave(self, node: TreeNode) -> None:
        self._tree.release(node)
        self._cursors.remove(node)

    def _seconds(self) -> float:
        """Seconds of searching, without the pauses between runs."""
        return self._seconds_before + time.monotonic() - self._began

    def _seconds_left(self) -> float:
        bound = self._budget.seconds
        return max(0.0, bound - self._seconds()) if bound else math.inf

    def _root_row(self) -> Record:
        return root_row(self._search.id, self._tree, self._models)

    def _conclusion(self) -> SearchProgress:
        """A search that leaves expansions in flight ran out of time."""
        in_time = self._budget.end(self._spent, self._tree) or "exhausted"
        return structs.replace(
            self._progress("finished"),
            cursor="",
            solved=is_solved(self._tree),
            ended="seconds" if self._cursors else in_time,
            finished_at=self._now(),
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
