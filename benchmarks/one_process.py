"""A real search in one process: brokers, an executor, an engine of your choice, a store on disk.

Only the engine's own server, if it has one, is a process of its own. Nothing is simulated.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from brokers.broker import Broker
from rstar_async.config import ExecutionConfig, Recipe, RoundConfig, SearchConfig
from rstar_async.data.problems import problems_of_round
from rstar_async.domains.math import MathDomain
from rstar_async.launch.sockets import clients_endpoint, workers_endpoint
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools, open_pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.seeding import search_id
from rstar_async.wire.payloads import POOLS
from storage import records
from storage.store import Store, open_store
from workers.engines.base import Engine
from workers.executor import serve_executor
from workers.serve_model import serve_model

POLICY = "policy"
DEMO = Path(__file__).parents[1] / "rstar_async" / "demo" / "checkpoint"
SLOTS = len(os.sched_getaffinity(0))
CAPACITY = 64


def recipe_in(
    folder: Path, problems: int, search: SearchConfig, model: Path | None = None
) -> Recipe:
    """One round over generated problems, searched by the policy in `model`, or by the demo's."""
    recipe = Recipe(
        name="one-process",
        home=str(folder / "home"),
        rounds=(RoundConfig(problems=problems, levels=(1, 2, 3)),),
        search=search,
    )
    policy = recipe.models_folder / POLICY
    shutil.copytree(model or DEMO, policy)
    if model is None:
        (policy / "manifest.json").write_text('{"prompt_style": "tagged"}')
    return recipe


async def search_all(
    recipe: Recipe,
    open_engine: Callable[[Path], Engine],
    as_used: Callable[[Pools], Pools] = lambda pools: pools,
) -> float:
    """Search every problem of round 1; the store then holds everything. Seconds, searching only.

    The search gets the pools that `as_used` makes of the real ones.
    """
    problems = problems_of_round(recipe, 1)
    searches = [_search_row(recipe, problem) for problem in problems]
    models = ActiveModels.load(recipe.models_folder, POLICY, None)
    plan = SearchPlan(models, recipe.search, ExecutionConfig(), "truth")
    async with _opened(recipe, open_engine, as_used) as (runner, store):
        await store.commit(
            records.Run(recipe.name, {}, recipe.seed, "benchmark"),
            records.Round(recipe.name, 1, "searching", POLICY),
            *problems,
            *searches,
        )
        started = trio.current_time()
        await runner.search_all(searches, {problem.id: problem for problem in problems}, plan)
        return trio.current_time() - started


@asynccontextmanager
async def _opened(
    recipe: Recipe,
    open_engine: Callable[[Path], Engine],
    as_used: Callable[[Pools], Pools],
) -> AsyncIterator[tuple[SearchRunner, Store]]:
    sockets = recipe.home_folder / "sockets"
    sockets.mkdir(parents=True)
    ends = {pool: workers_endpoint(sockets, pool) for pool in POOLS}
    async with (
        open_engine(recipe.models_folder) as engine,
        open_store(recipe.database_url) as store,
        MathDomain() as domain,
        trio.open_nursery() as nursery,
    ):
        never = trio.Event()
        for pool in POOLS:
            broker = Broker(pool, clients=clients_endpoint(sockets, pool), workers=ends[pool])
            nursery.start_soon(broker.run)
        place = (ends["inference"], "engine")
        nursery.start_soon(lambda: serve_model("inference", *place, engine, CAPACITY, drain=never))
        nursery.start_soon(lambda: serve_executor(ends["executor"], "executor", SLOTS, drain=never))
        endpoints = {pool: clients_endpoint(sockets, pool) for pool in POOLS}
        async with open_pools(endpoints, window=CAPACITY) as pools:
            yield SearchRunner(as_used(pools), store, domain), store
        nursery.cancel_scope.cancel()


def _search_row(recipe: Recipe, problem: records.Problem) -> records.Search:
    return records.Search(
        id=search_id(recipe.name, 1, "train", problem.id, recipe.seed),
        run_id=recipe.name,
        round=1,
        problem_id=problem.id,
        purpose="train",
        seed=recipe.seed,
        policy_id=POLICY,
    )
