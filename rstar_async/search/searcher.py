"""Grows one tree: select, expand, commit; the next expansion starts only after the commit."""

import time

from msgspec import structs

from rstar_async.search.expander import Expander
from rstar_async.search.expansion import Expanded
from rstar_async.search.metrics import count_expansion, count_search
from rstar_async.search.models import ActiveModels
from rstar_async.search.rows import expansion_row, node_rows, root_row, statistics_rows
from rstar_async.search.tree import Tree, TreeNode
from storage.records import Search, SearchProgress, SearchStatus
from storage.store import Store


class Searcher:
    """One search of one problem. A new searcher over the stored tree continues after a crash."""

    def __init__(
        self,
        search: Search,
        tree: Tree,
        expander: Expander,
        models: ActiveModels,
        store: Store,
        *,
        rollouts: int,
        candidates: int,
    ) -> None:
        self._search = search
        self._tree = tree
        self._expander = expander
        self._models = models
        self._store = store
        self._rollout_limit = rollouts
        self._candidates = candidates
        self._rollouts = search.rollouts
        self._expansions = search.expansions
        self._cursor = tree.nodes.get(search.cursor) if search.cursor else None
        self._seconds_before = search.seconds
        self._started_at = time.time()

    async def run(self) -> Tree:
        """Search until the rollouts are spent or nothing is left to expand."""
        if not self._expansions:
            await self._store.commit(
                root_row(self._search.id, self._tree, self._models), self._progress("running")
            )
        while (node := self._next_node()) is not None:
            expanded = await self._expander.expand(node, self._candidates, self._rollouts)
            await self._grow(node, expanded)
        await self._store.commit(self._progress("finished"))
        count_search(self._search.purpose, "finished")
        return self._tree

    async def give_up(self, reason: str) -> None:
        """Mark the search as failed where it stands; what was stored stays."""
        await self._store.commit(structs.replace(self._progress("failed"), answer=reason))
        count_search(self._search.purpose, "failed")

    def _next_node(self) -> TreeNode | None:
        if self._rollouts >= self._rollout_limit:
            return None
        return self._cursor or self._tree.select()

    async def _grow(self, node: TreeNode, expanded: Expanded) -> None:
        """Add the candidates and make the expansion durable in one transaction."""
        children = self._tree.expand(node, [o.candidate() for o in expanded.outcomes])
        self._expansions += 1
        self._cursor = self._tree.best_child(node)
        if self._cursor is None:
            self._rollouts += 1
        nodes = list(node_rows(self._search.id, self._expansions, children, expanded))
        await self._store.commit(
            expansion_row(self._search.id, self._expansions, node, expanded),
            *nodes,
            *statistics_rows(self._search.id, node),
            self._progress("running"),
        )
        count_expansion(self._search.purpose, nodes)

    def _progress(self, status: SearchStatus) -> SearchProgress:
        finished = status == "finished"
        now = time.time()
        return SearchProgress(
            search_id=self._search.id,
            status=status,
            rollouts=self._rollouts,
            expansions=self._expansions,
            cursor=self._cursor.path if self._cursor else "",
            solved=any(n.candidate.is_correct for n in self._tree.answers()) if finished else None,
            started_at=self._search.started_at or self._started_at,
            finished_at=now if finished else None,
            seconds=self._seconds_before + now - self._started_at,
        )
