"""The coordinator of the benchmark, a process of its own: searches trees that have no end.

`python -m benchmarks.saturation.coordinator DATABASE TREES BARRIER INFERENCE EXECUTOR REWARD`: the
runner of searches, the pools' clients and the store of `rstar_async.coordinator`, without the
rounds and the trainer around them. With BARRIER 1 no tree goes on until all have their candidates.
"""

import sys
from typing import Any

import trio

from benchmarks.search.script import GOLD, QUESTION, encoder
from rstar_async.config import BoundsConfig, ExecutionConfig, SearchConfig
from rstar_async.domains.math import MathDomain
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools, open_pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.payloads import POOLS
from storage.records import Problem, Round, Run, Search
from storage.store import open_store

CANDIDATES = 8  # the paper's
PROBLEM = Problem("problem", "benchmark", QUESTION, GOLD)
WITHOUT_END = 10**9


class StepBarrier:
    """The inference pool, with a barrier after each step of all trees."""

    def __init__(self, pool: Any, trees: int) -> None:
        self._pool, self._trees = pool, trees
        self._here = 0
        self._all_here = trio.Event()

    async def request(self, *values: Any, **options: Any) -> Any:
        reply = await self._pool.request(*values, **options)
        self._here += 1
        if self._here == self._trees:
            self._all_here.set()
            self._here, self._all_here = 0, trio.Event()
        else:
            await self._all_here.wait()
        return reply

    def cancel_group(self, group: str) -> None:
        self._pool.cancel_group(group)


async def search(database: str, trees: int, barrier: bool, endpoints: list[str]) -> None:
    """Until killed."""
    settings = SearchConfig(
        rollouts=WITHOUT_END, candidates=CANDIDATES, in_flight=trees, max_tokens=256
    )
    async with (
        open_store(database) as store,
        MathDomain() as domain,
        open_pools(dict(zip(POOLS, endpoints, strict=True)), window=CANDIDATES * trees) as pools,
    ):
        if barrier:
            held: Any = StepBarrier(pools.inference, trees)
            pools = Pools(held, pools.executor, pools.reward)
        await store.commit(Run("benchmark", {}, 1, "benchmark"), PROBLEM)
        await store.commit(Round("benchmark", 1, "searching", "policy"))
        searches = [
            Search(f"tree-{number}", "benchmark", 1, PROBLEM.id, "train", number, "policy", "ppm")
            for number in range(trees)
        ]
        await store.commit(*searches)
        tune_gc()
        models = ActiveModels("policy", "ppm", encoder())
        plan = SearchPlan(
            models, settings, ExecutionConfig(), "truth", BoundsConfig(nodes=WITHOUT_END)
        )
        await SearchRunner(pools, store, domain).search_all(searches, {PROBLEM.id: PROBLEM}, plan)


if __name__ == "__main__":
    database, trees, barrier, *endpoints = sys.argv[1:]
    trio.run(search, database, int(trees), barrier == "1", endpoints)
