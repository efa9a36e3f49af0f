"""How busy each worker was, and whether commits were waited for: a line every few seconds.

The coordinator asks the brokers once a second and appends the shares of the last ten seconds to a
file in the run's folder, for the page's view of where the time goes. A line that cannot be written
is lost; a run never stops for it.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import trio

from rstar_async.search.pools import Pools
from rstar_async.wire.messages import Status
from rstar_async.wire.payloads import POOLS, Pool
from storage.store import Store

log = logging.getLogger(__name__)

FILE = "activity.jsonl"
SAMPLE_SECONDS = 1.0
LINE_SECONDS = 10.0


class WorkerShare(msgspec.Struct, frozen=True, array_like=True):
    """The share of its capacity that a worker used."""

    pool: str
    name: str
    busy: float


class ActivityLine(msgspec.Struct, frozen=True):
    """The `seconds` up to `at` (since 1970). `committing`: the share of them in which an expansion
    waited for its commit."""

    at: float
    seconds: float
    committing: float
    workers: list[WorkerShare]


class Samples:
    """Adds up samples until they make a line. Pure."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str], list[float]] = {}
        self._commits: list[bool] = []

    def add(self, statuses: Mapping[Pool, Status], *, is_committing: bool) -> None:
        self._commits.append(is_committing)
        for pool, status in statuses.items():
            for worker in status.workers:
                share = min(1.0, worker.running / worker.capacity) if worker.capacity else 0.0
                self._workers.setdefault((pool, worker.name), []).append(share)

    def line(self, at: float, seconds: float) -> ActivityLine:
        """The means of what was added."""
        workers = [
            WorkerShare(pool, name, round(sum(shares) / len(shares), 3))
            for (pool, name), shares in sorted(self._workers.items())
        ]
        return ActivityLine(
            round(at, 1), round(seconds, 1), round(_mean(self._commits), 3), workers
        )


async def record_activity(pools: Pools, store: Store, home: Path) -> None:
    """Append lines to the file in `home` until cancelled."""
    while True:
        began, samples = trio.current_time(), Samples()
        while trio.current_time() < began + LINE_SECONDS:
            await trio.sleep(SAMPLE_SECONDS)
            statuses = await _statuses(pools)
            samples.add(statuses, is_committing=store.statistics().waiting > 0)
        line = samples.line(time.time(), trio.current_time() - began)
        await trio.to_thread.run_sync(_append, home / FILE, line)


async def _statuses(pools: Pools) -> dict[Pool, Status]:
    """Of the brokers that answer within a sample's time."""
    found: dict[Pool, Status] = {}

    async def ask(pool: Pool) -> None:
        with trio.move_on_after(SAMPLE_SECONDS):
            found[pool] = await getattr(pools, pool).status()

    async with trio.open_nursery() as nursery:
        for pool in POOLS:
            nursery.start_soon(ask, pool)
    return found


def _append(file: Path, line: ActivityLine) -> None:
    try:
        with file.open("ab") as stream:
            stream.write(msgspec.json.encode(line) + b"\n")
    except OSError as error:
        log.debug("activity not recorded", extra={"reason": str(error)})


def _mean(values: list[Any]) -> float:
    return sum(values) / len(values) if values else 0.0
