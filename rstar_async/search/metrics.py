"""Metrics of searches: jobs at the brokers, searches in flight and ended, committed nodes."""

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

UPDATE_SECONDS = 1.0


@contextmanager
def counted_in_flight(purpose: str) -> Iterator[None]:
    """Count a search as in flight while the block lasts."""
    with SEARCHES_IN_FLIGHT.labels(purpose).track_inprogress():
        yield


def count_search(purpose: str, ending: SearchStatus) -> None:
    """Count a search that has ended."""
    SEARCHES.labels(purpose, ending).inc()


def count_expansion(purpose: str, rows: Iterable[Record]) -> None:
    """Count an expansion whose `rows` are committed."""
    EXPANSIONS.labels(purpose).inc()
    for row in rows:
        if isinstance(row, Node):
            NODES.labels(purpose, row.status).inc()


async def update_pool_metrics(pools: Pools) -> None:
    """Update the metrics of the three pool clients until cancelled."""
    clients = {
        "inference": _ClientMetrics(pools.inference),
        "executor": _ClientMetrics(pools.executor),
        "reward": _ClientMetrics(pools.reward),
    }
    while True:
        for name, client in clients.items():
            client.update(name)
        await trio.sleep(UPDATE_SECONDS)


class _ClientMetrics:
    """A pool client, and the counts that the metrics already include."""

    def __init__(self, client: PoolClient) -> None:
        self._client = client
        self._before: dict[str, int] = {}

    def update(self, pool: str) -> None:
        counts: dict[str, int] = msgspec.structs.asdict(self._client.statistics)
        CLIENT_JOBS.labels(pool).set(counts.pop("waiting"))
        for event, count in counts.items():
            CLIENT_EVENTS.labels(pool, event).inc(count - self._before.get(event, 0))
        self._before = counts
