"""The three pools a search talks to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rstar_async.wire.messages import MAX_JOBS
from rstar_async.wire.payloads import POOLS, Pool
from rstar_async.wire.pool import PoolClient, open_pool


@dataclass(frozen=True, slots=True)
class Pools:
    """One client per broker."""

    inference: PoolClient
    executor: PoolClient
    reward: PoolClient

    def end_tree(self, tree_id: str) -> None:
        """Cancel the jobs of a tree and let workers drop what they keep for it."""
        for pool in (self.inference, self.executor, self.reward):
            pool.cancel_group(tree_id)


@asynccontextmanager
async def open_pools(
    endpoints: Mapping[Pool, str], *, window: int, keys: Path | None = None
) -> AsyncIterator[Pools]:
    """Connect to all three brokers, with at most `window` jobs at each at once."""
    window = min(window, MAX_JOBS)
    async with AsyncExitStack() as stack:
        clients = {
            pool: await stack.enter_async_context(
                open_pool(endpoints[pool], name="coordinator", window=window, keys=keys)
            )
            for pool in POOLS
        }
        yield Pools(**clients)
