"""What the coordinator counts: its jobs at the brokers, its searches, what they have committed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
import trio

from rstar_async.search.pools import Pools
from rstar_async.telemetry.metrics import (
    CLIENT_EVENTS,
    CLIENT_JOBS,
    EXPANSIONS,
    NODES,
    SEARCHES,
    SEARCHES_IN_FLIGHT,
)
from rstar_async.wire.pool import PoolClient
from storage.records import Node, Record, SearchStatus

SHOW_SECONDS = 1.0


@contextmanager
def under_way(purpose: str) -> Iterator[None]:
    """A search is under way inside this block."""
    with SEARCHES_IN_FLIGHT.labels(purpose).track_inprogress():
        yield


def count_search(purpose: str, ending: SearchStatus) -> None:
    """A search has come to its end."""
    SEARCHES.labels(purpose, ending).inc()


def count_expansion(purpose: str, rows: Iterable[Record]) -> None:
    """An expansion that consists of these rows is in the store."""
    EXPANSIONS.labels(purpose).inc()
    for row in rows:
        if isinstance(row, Node):
            NODES.labels(purpose, row.status).inc()


async def show_pools(pools: Pools) -> None:
    """Keep the figures of the pool clients up to date until cancelled."""
    clients = {
        "inference": _Shown(pools.inference),
        "executor": _Shown(pools.executor),
        "reward": _Shown(pools.reward),
    }
    while True:
        for name, client in clients.items():
            client.show(name)
        await trio.sleep(SHOW_SECONDS)


class _Shown:
    """A pool client, and how much of its counts is in the metrics already."""

    def __init__(self, client: PoolClient) -> None:
        self._client = client
        self._before: dict[str, int] = {}

    def show(self, pool: str) -> None:
        counts: dict[str, int] = msgspec.structs.asdict(self._client.statistics)
        CLIENT_JOBS.labels(pool).set(counts.pop("waiting"))
        for event, count in counts.items():
            CLIENT_EVENTS.labels(pool, event).inc(count - self._before.get(event, 0))
        self._before = counts
