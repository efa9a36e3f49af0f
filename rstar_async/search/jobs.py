"""The jobs of one tree: named after its content, grouped and routed by its id."""

from collections.abc import Callable, Sequence
from functools import partial
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
from rstar_async.wire.replies import (
    UNKNOWN_MODEL,
    ModelBounds,
    check_executed,
    check_generated,
    check_scored,
)

NO_LIMITS_GIVEN = Limits()

T = TypeVar("T")


class TreeJobs:
    """The three pools as one tree uses them. `expansion` names one: the path of the node that is
    being expanded, and which draw of several it is.

    Replies are held to what is known of the models that they come from.
    """

    def __init__(
        self,
        pools: Pools,
        tree_id: str,
        policy: ModelBounds = UNKNOWN_MODEL,
        ppm: ModelBounds = UNKNOWN_MODEL,
    ) -> None:
        self._pools = pools
        self._tree_id = tree_id
        self._policy = policy
        self._ppm = ppm

    async def generate(self, request: Generate, expansion: str, priority: int) -> Generated:
        job = job_id("generate", self._tree_id, expansion, request.n)
        check = partial(check_generated, request, model=self._policy)
        return await self._request(self._pools.inference, request, Generated, job, priority, check)

    async def execute(
        self, program: list[str], limits: Limits, path: str, number: int, priority: int
    ) -> Executed:
        """Run the program of candidate `number` below the node at `path`."""
        job = job_id("execute", self._tree_id, path, number, *program)
        request = Execute(self._tree_id, program, limits)
        check = partial(check_executed, request)
        return await self._request(self._pools.executor, request, Executed, job, priority, check)

    async def score(self, request: Score, expansion: str, priority: int) -> Scored:
        job = job_id("score", request.model, self._tree_id, expansion)
        check = partial(check_scored, request, model=self._ppm)
        return await self._request(self._pools.reward, request, Scored, job, priority, check)

    def executor(self, priority: int) -> "PoolExecutor":
        """For verification of the tree's solutions."""
        return PoolExecutor(self._pools.executor, self._tree_id, priority)

    async def _request(
        self,
        pool: PoolClient,
        request: msgspec.Struct,
        reply: type[T],
        job: JobId,
        priority: int,
        check: Callable[[T], None],
    ) -> T:
        return await pool.request(
            request,
            reply=reply,
            job=job,
            group=self._tree_id,
            affinity=self._tree_id,
            priority=priority,
            check=check,
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
        request = Execute(self._group, list(program), limits)
        return await self._pool.request(
            request,
            reply=Executed,
            job=job_id("verify", self._group, msgspec.msgpack.encode(limits), *program),
            group=self._group,
            affinity=self._group,
            priority=self._priority,
            check=partial(check_executed, request),
        )

    def close(self) -> None:
        """Let the executors drop the group's snapshots."""
        if self._was_used:
            self._pool.cancel_group(self._group)
