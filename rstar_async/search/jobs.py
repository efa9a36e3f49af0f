"""The jobs of one tree: named after its content, grouped and routed by its id."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from rstar_async.search.pools import Pools
from rstar_async.wire.messages import JobId, job_id
from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Limits,
    Score,
    Scored,
)
from rstar_async.wire.pool import PoolClient

NO_LIMITS_GIVEN = Limits()

T = TypeVar("T")


class TreeJobs:
    """The three pools as one tree uses them. `expansion` names one: the path of the node that is
    being expanded, and which draw of several it is."""

    def __init__(self, pools: Pools, tree_id: str) -> None:
        self._pools = pools
        self._tree_id = tree_id

    async def generate(self, request: Generate, expansion: str, priority: int) -> Generated:
        job = job_id("generate", self._tree_id, expansion, request.n)
        return await self._request(self._pools.inference, request, Generated, job, priority)

    async def execute(
        self, program: list[str], limits: Limits, path: str, number: int, priority: int
    ) -> Executed:
        """Run the program of candidate `number` below the node at `path`."""
        job = job_id("execute", self._tree_id, path, number, *program)
        request = Execute(self._tree_id, program, limits)
        return await self._request(self._pools.executor, request, Executed, job, priority)

    async def score(self, request: Score, expansion: str, priority: int) -> Scored:
        job = job_id("score", request.model, self._tree_id, expansion)
        return await self._request(self._pools.reward, request, Scored, job, priority)

    def executor(self, priority: int) -> "PoolExecutor":
        """For verification of the tree's solutions."""
        return PoolExecutor(self._pools.executor, self._tree_id, priority)

    async def _request(
        self, pool: PoolClient, request: msgspec.Struct, reply: type[T], job: JobId, priority: int
    ) -> T:
        return await pool.request(
            request,
            reply=reply,
            job=job,
            group=self._tree_id,
            affinity=self._tree_id,
            priority=priority,
        )


class PoolExecutor:
    """A `domains.base.Executor` over the executor pool. Snapshots of programs belong to `group`."""

    def __init__(self, pool: PoolClient, group: str, priority: int = 0) -> None:
        self._pool = pool
        self._group = group
        self._priority = priority
        self._was_used = False

    async def run(self, program: Sequence[str], limits: Limits = NO_LIMITS_GIVEN) -> Executed:
        self._was_used = True
        return await self._pool.request(
            Execute(self._group, list(program), limits),
            reply=Executed,
            job=job_id("verify", self._group, msgspec.msgpack.encode(limits), *program),
            group=self._group,
            affinity=self._group,
            priority=self._priority,
        )

    def close(self) -> None:
        """Let the executors drop the group's snapshots."""
        if self._was_used:
            self._pool.cancel_group(self._group)
