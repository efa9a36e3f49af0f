"""What measured searches run on: each part of the system is real or left out.

`python -m benchmarks.search.rig POOL ENDPOINT` is a worker of that pool, with canned answers.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import trio

from benchmarks.cpu_meter import tree_cpu_seconds
from benchmarks.search.script import GOLD, QUESTION, answer, encoder
from rstar_async.config import BoundsConfig, ExecutionConfig, SearchConfig
from rstar_async.domains.math import MathDomain
from rstar_async.launch.sockets import (
    clients_endpoint,
    make_socket_folder,
    remove_socket_folder,
    workers_endpoint,
)
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools, open_pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.payloads import POOLS, Execute, Generate, Pool, Score
from storage.records import Problem, Round, Run, Search
from storage.store import open_store
from workers.worker import Job, serve

REQUESTS = {"inference": Generate, "executor": Execute, "reward": Score}
WINDOW = 4096
PROBLEM = Problem("problem", "benchmark", QUESTION, GOLD)


@dataclass(frozen=True, slots=True)
class Parts:
    """Which parts are real. The executor needs the brokers."""

    brokers: bool = False
    store: bool = False
    executor: bool = False


@dataclass
class Rig:
    """Searches trees. `ours` are the processes whose CPU time is counted with this one's, `canned`
    the workers with canned answers."""

    parts: Parts
    runner: SearchRunner
    store: Any
    ours: list[int] = field(default_factory=list)
    canned: list[int] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Of this process with its threads, of brokers and executors; canned workers left out."""
        return time.process_time() + sum(map(tree_cpu_seconds, self.ours))

    def worker_seconds(self) -> float:
        """CPU time of the canned workers."""
        return float(sum(map(tree_cpu_seconds, self.canned)))

    def peak_mib(self) -> float:
        """The most memory that this process, brokers and executors had, added up."""
        return sum(map(_peak_mib, (os.getpid(), *self.ours)))

    async def grow(self, trees: int, nodes: int, *, rollouts: int = 10**9, batch: str = "") -> int:
        """Search `trees` trees at once until each has `nodes` nodes; the number of nodes of all."""
        searches = [_search(f"{batch}-{number}") for number in range(trees)]
        for search in searches:
            await self.store.commit(search)
        plan = _plan(trees, nodes, rollouts)
        found = await self.runner.search_all(searches, {PROBLEM.id: PROBLEM}, plan)
        return sum(len(tree.nodes) - 1 for tree in found.values())


class NullStore:
    """A store that drops its records."""

    async def commit(self, *records: object) -> None:
        await trio.lowlevel.checkpoint()


class InstantPool:
    """A pool without broker and workers."""

    async def request(self, payload: Any, reply: type, **_: object) -> Any:
        await trio.lowlevel.checkpoint()
        return answer(payload)

    def cancel_group(self, group: str) -> None:
        pass


@asynccontextmanager
async def open_rig(parts: Parts) -> AsyncIterator[Rig]:
    """Start and warm up everything; stop and remove it at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-search-")))
        domain = await stack.enter_async_context(MathDomain())
        store: Any = (
            await stack.enter_async_context(open_store(f"sqlite:///{folder}/store.db"))
            if parts.store
            else NullStore()
        )
        await store.commit(Run("benchmark", {}, 1, "benchmark"), PROBLEM)
        await store.commit(Round("benchmark", 1, "searching", "policy"))
        ours: list[int] = []
        canned: list[int] = []
        instant: Any = InstantPool()
        pools = Pools(instant, instant, instant)
        if parts.brokers:
            endpoints = stack.enter_context(_processes(folder, parts, ours, canned))
            pools = await stack.enter_async_context(open_pools(endpoints, window=WINDOW))
            for pool in (pools.inference, pools.executor, pools.reward):
                await _until_served(pool)
        tune_gc()
        yield Rig(parts, SearchRunner(pools, store, domain), store, ours, canned)


@contextmanager
def _processes(
    folder: Path, parts: Parts, ours: list[int], canned: list[int]
) -> Iterator[dict[Pool, str]]:
    """Brokers and workers; the ids of those that count go into `ours`."""
    sockets = make_socket_folder()
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> int:
        command = [sys.executable, "-m", *words]
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return running[-1].pid

    try:
        for pool in POOLS:
            clients, workers = clients_endpoint(sockets, pool), workers_endpoint(sockets, pool)
            letters = ("--letters", str(folder / "letters" / pool))
            ours.append(
                start("brokers", pool, "--clients", clients, "--workers", workers, *letters)
            )
            if pool == "executor" and parts.executor:
                options = ("--endpoint", workers, "--name", "executor")
                ours.append(start("workers", "executor", *options))
            else:
                canned.append(start("benchmarks.search.rig", pool, workers))
        yield {pool: clients_endpoint(sockets, pool) for pool in POOLS}
    finally:
        for process in running:
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        remove_socket_folder(sockets)


async def _until_served(pool: Any) -> None:
    while not (await pool.status()).workers:  # noqa: ASYNC110  the broker sends no event
        await trio.sleep(0.05)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _search(name: str) -> Search:
    return Search(name, "benchmark", 1, PROBLEM.id, "train", 1, "policy", "ppm")


def _plan(trees: int, nodes: int, rollouts: int) -> SearchPlan:
    settings = SearchConfig(rollouts=rollouts, candidates=8, in_flight=trees)
    models = ActiveModels("policy", "ppm", encoder())
    return SearchPlan(models, settings, ExecutionConfig(), "truth", BoundsConfig(nodes=nodes))


def worker(pool: Pool, endpoint: str) -> None:
    """Canned answers for one pool."""
    decoder = msgspec.msgpack.Decoder(REQUESTS[pool])

    async def handle(job: Job) -> bytes:
        return msgspec.msgpack.encode(answer(decoder.decode(job.body)))

    trio.run(lambda: serve(endpoint, f"canned-{pool}", WINDOW, handle))


if __name__ == "__main__":
    worker(*sys.argv[1:3])  # type: ignore[arg-type]
