"""Searches many problems at once, without a barrier: a slow problem never delays another."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import trio

from rstar_async.config import BoundsConfig, ExecutionConfig, SearchConfig
from rstar_async.domains.base import Domain
from rstar_async.errors import JobFailed
from rstar_async.search.budget import Budget, Spent
from rstar_async.search.expander import Expander
from rstar_async.search.expansion import AnswerValue, ExpansionSettings
from rstar_async.search.jobs import PoolExecutor, TreeJobs
from rstar_async.search.metrics import counted_in_flight
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
    """Models and settings of a batch of searches. `unsolved_rollouts`: see `Budget`."""

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
    """Runs searches over one set of pools and one store, in one domain, which must be open.

    `now` tells the time of day; no duration is measured by it.
    """

    def __init__(
        self, pools: Pools, store: Store, domain: Domain, now: Callable[[], float] = time.time
    ) -> None:
        self._now = now
        self._pools = pools
        self._store = store
        self._domain = domain

    async def search_all(
        self, searches: Sequence[Search], problems: Mapping[str, Problem], plan: SearchPlan
    ) -> dict[str, Tree]:
        """Start or resume `searches`, at most `in_flight` at once; the trees by search id.

        A search whose jobs failed for good is marked as failed and has no tree.
        """
        trees: dict[str, Tree] = {}
        slots = trio.Semaphore(plan.settings.in_flight)

        async def search_one(search: Search) -> None:
            async with slots:
                tree = await self.search(search, problems[search.problem_id], plan)
            if tree is not None:
                trees[search.id] = tree

        async with trio.open_nursery() as nursery:
            for search in searches:
                nursery.start_soon(search_one, search)
        return trees

    async def search(self, search: Search, problem: Problem, plan: SearchPlan) -> Tree | None:
        """Start or resume one search and finish it; None if its jobs failed for good."""
        searcher = await self._searcher(search, problem, plan)
        try:
            with counted_in_flight(search.purpose), facts(tree=search.id):
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
            TreeJobs(self._pools, tree_id, plan.models.policy_bounds, plan.models.ppm_bounds),
            plan.models,
            self._domain,
            ExpansionSettings.of(
                plan.settings, plan.execution, plan.answer_value, plan.models.path_rule
            ),
            problem,
            seed=seed,
        )

    async def group_answers(self, problem: Problem, answers: Iterable[str]) -> dict[str, str]:
        """Each answer with the first one that is the same vote, as the domain has it."""
        executor = PoolExecutor(self._pools.executor, f"votes-{problem.id}")
        try:
            return await self._domain.group(problem, answers, executor)
        finally:
            executor.close()

    async def fault(self, problem: Problem) -> str:
        """Why solutions of the problem cannot be judged; "" if they can."""
        executor = PoolExecutor(self._pools.executor, f"fault-{problem.id}")
        try:
            return await self._domain.fault(problem, executor)
        finally:
            executor.close()

    def end_tree(self, tree_id: str) -> None:
        """Cancel the jobs of a tree and let workers drop what they keep for it."""
        self._pools.end_tree(tree_id)

    async def _searcher(self, search: Search, problem: Problem, plan: SearchPlan) -> Searcher:
        """A searcher that goes on from what the store has of the search."""
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
            now=self._now,
        )

    async def _stored(self, search: Search, plan: SearchPlan) -> tuple[Tree, Spent]:
        """The stored tree and its cost; a new tree if the search has not begun."""
        selection = Selection(plan.settings.exploration, plan.settings.unvisited)
        if search.status == "waiting":
            return Tree(selection), Spent()
        nodes = await self._store.read(queries.nodes_of, search.id)
        tree = tree_from_nodes(nodes, selection, self._domain.parse_step)
        cost = await self._store.read(queries.cost_of, search.id)
        spent = Spent(
            rollouts=search.rollouts,
            nodes=len(tree.nodes) - 1,
            tokens=cost.new_tokens,
            seconds=search.seconds,
            cpu_seconds=cost.cpu_seconds,
        )
        return tree, spent
