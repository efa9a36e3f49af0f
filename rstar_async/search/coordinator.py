"""Searches many problems at once, without a barrier: one that waits never delays another."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trio

from rstar_async.config import Execution
from rstar_async.config import Search as SearchSettings
from rstar_async.errors import JobFailed
from rstar_async.search.expander import Expander
from rstar_async.search.expansion import AnswerValue, ExpansionSettings
from rstar_async.search.judge import Judge
from rstar_async.search.metrics import under_way
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools
from rstar_async.search.restore import tree_from_nodes
from rstar_async.search.searcher import Searcher
from rstar_async.search.tree import Selection, Tree
from rstar_async.telemetry.logs import facts
from storage import queries
from storage.records import Problem, Search
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a batch of searches is run."""

    models: ActiveModels
    settings: SearchSettings
    execution: Execution
    answer_value: AnswerValue


class Coordinator:
    """Runs searches over one set of pools and one store."""

    def __init__(self, pools: Pools, store: Store, judge: Judge) -> None:
        self._pools = pools
        self._store = store
        self._judge = judge

    async def search_all(
        self, searches: Sequence[Search], problems: Mapping[str, Problem], plan: SearchPlan
    ) -> dict[str, Tree]:
        """Finish `searches`, resuming those begun, at most `in_flight` at once; trees by search.

        A search whose jobs failed for good is marked failed and left out.
        """
        trees: dict[str, Tree] = {}
        room = trio.Semaphore(plan.settings.in_flight)

        async def search_one(search: Search) -> None:
            async with room:
                tree = await self._search(search, problems[search.problem_id], plan)
            if tree is not None:
                trees[search.id] = tree

        async with trio.open_nursery() as nursery:
            for search in searches:
                nursery.start_soon(search_one, search)
        return trees

    def expander(self, problem: Problem, tree_id: str, seed: int, plan: SearchPlan) -> Expander:
        """An expander for one tree over `problem`."""
        return Expander(
            self._pools,
            plan.models,
            self._judge,
            ExpansionSettings.of(plan.settings, plan.execution, plan.answer_value),
            tree_id=tree_id,
            seed=seed,
            question=problem.question,
            gold=problem.answer,
        )

    def end_tree(self, tree_id: str) -> None:
        """Let go of everything the pools hold for a tree."""
        self._pools.end_tree(tree_id)

    async def _search(self, search: Search, problem: Problem, plan: SearchPlan) -> Tree | None:
        searcher = self._searcher(search, problem, plan, await self._tree(search, plan))
        try:
            with under_way(search.purpose), facts(tree=search.id):
                return await searcher.run()
        except JobFailed as failure:
            about = {"tree": search.id, "problem": problem.id}
            log.error("search failed: %s", failure, extra=about)
            await searcher.give_up(str(failure))
            return None
        finally:
            self.end_tree(search.id)

    async def _tree(self, search: Search, plan: SearchPlan) -> Tree:
        """The tree as the store knows it; a new one if the search has not begun."""
        nodes = (
            await self._store.read(queries.nodes_of, search.id)
            if search.status != "waiting"
            else ()
        )
        settings = plan.settings
        return tree_from_nodes(nodes, Selection(settings.exploration, settings.unvisited))

    def _searcher(self, search: Search, problem: Problem, plan: SearchPlan, tree: Tree) -> Searcher:
        return Searcher(
            search,
            tree,
            self.expander(problem, search.id, search.seed, plan),
            plan.models,
            self._store,
            rollouts=plan.settings.rollouts,
            candidates=plan.settings.candidates,
        )
