"""Searches many problems at once, without a barrier: one that waits never delays another."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trio

from rstar_async.config import BoundsConfig, ExecutionConfig, SearchConfig
from rstar_async.errors import JobFailed
from rstar_async.search.budget import Budget, Spent
from rstar_async.search.expander import AnswerVerifier, Expander
from rstar_async.search.expansion import AnswerValue, ExpansionSettings
from rstar_async.search.metrics import under_way
from rstar_async.search.models import ActiveModels
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.pools import Pools
from rstar_async.search.searcher import Searcher
from rstar_async.search.tree import Selection, Tree
from rstar_async.seeding import tree_seed
from rstar_async.telemetry.logs import facts
from storage import queries
from storage.records import Problem, Search
from storage.store import Store

log = logging.getLogger(__name__)

NO_BOUNDS = BoundsConfig()


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a batch of searches is run. `unsolved_rollouts`: see `Budget`."""

    models: ActiveModels
    settings: SearchConfig
    execution: ExecutionConfig
    answer_value: AnswerValue
    bounds: BoundsConfig = NO_BOUNDS
    unsolved_rollouts: tuple[int, ...] = ()

    @property
    def budget(self) -> Budget:
        return Budget(
            rollouts=self.settings.rollouts,
            unsolved_rollouts=self.unsolved_rollouts,
            nodes=self.bounds.nodes,
            tokens=self.bounds.tokens,
            seconds=self.bounds.seconds,
            cpu_seconds=self.bounds.cpu_seconds,
            confidence=self.bounds.confidence,
            knows_truth=self.answer_value == "truth",
        )


class SearchRunner:
    """Runs searches over one set of pools and one store."""

    def __init__(self, pools: Pools, store: Store, judge: AnswerVerifier) -> None:
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
                tree = await self.search(search, problems[search.problem_id], plan)
            if tree is not None:
                trees[search.id] = tree

        async with trio.open_nursery() as nursery:
            for search in searches:
                nursery.start_soon(search_one, search)
        return trees

    async def search(self, search: Search, problem: Problem, plan: SearchPlan) -> Tree | None:
        """Finish one search, whether it has begun or not; None if its jobs failed for good."""
        searcher = await self._searcher(search, problem, plan)
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

    def expander_of(self, search: Search, problem: Problem, plan: SearchPlan) -> Expander:
        """An expander for the tree of `search`."""
        seed = tree_seed(search.purpose, search.round, search.seed, problem.question)
        return self.expander(problem, search.id, seed, plan)

    def expander(self, problem: Problem, tree_id: str, seed: int, plan: SearchPlan) -> Expander:
        """An expander for one tree over `problem`; its draws follow from `seed`."""
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

    async def _searcher(self, search: Search, problem: Problem, plan: SearchPlan) -> Searcher:
        """At the place where the store says that the search stands."""
        tree, spent = await self._stored(search, plan)
        return Searcher(
            search,
            tree,
            spent,
            self.expander_of(search, problem, plan),
            plan.models,
            self._store,
            budget=plan.budget,
            candidates=plan.settings.candidates,
            parallel=plan.settings.parallel,
        )

    async def _stored(self, search: Search, plan: SearchPlan) -> tuple[Tree, Spent]:
        """The tree and what it cost; a new one if the search has not begun."""
        selection = Selection(plan.settings.exploration, plan.settings.unvisited)
        if search.status == "waiting":
            return Tree(selection), Spent()
        tree = tree_from_nodes(await self._store.read(queries.nodes_of, search.id), selection)
        cost = await self._store.read(queries.cost_of, search.id)
        spent = Spent(
            rollouts=search.rollouts,
            nodes=len(tree.nodes) - 1,
            tokens=cost.new_tokens,
            seconds=search.seconds,
            cpu_seconds=cost.cpu_seconds,
        )
        return tree, spent
