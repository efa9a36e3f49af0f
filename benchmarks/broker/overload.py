"""More work than the workers can take: what the broker's queue and memory do meanwhile.

One worker does at most 800 jobs a second. Tasks ask for ten seconds' worth of that all the time, so
only the windows bound the broker's queue.
"""

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trio

from benchmarks.broker.peers import running
from benchmarks.report import Report
from rstar_async.wire.messages import Status, job_id
from rstar_async.wire.pool import PoolClient, open_pool

CAPACITY, JOB_SECONDS = 8, 0.01
MOST_PER_SECOND = CAPACITY / JOB_SECONDS
ASKING = int(10 * MOST_PER_SECOND)
CLIENTS, WINDOW = 2, 1024
SAMPLE_SECONDS = 1.0
SETTLED = 0.2  # share of the time after which memory must not grow


class Flood:
    """Asks without pause and counts the answers."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.answered = self.wrong = 0
        self.samples: list[tuple[Status, float]] = []
        self._numbers = itertools.count()

    async def ask(self, pool: PoolClient) -> None:
        while time.monotonic() < self.ends_at:
            body = f"{next(self._numbers)}".encode()
            answer = await pool.ask(job_id("overload", body), body)
            self.answered += 1
            self.wrong += answer.body != body

    async def watch(self, pool: PoolClient, broker: int) -> None:
        while time.monotonic() < self.ends_at:
            await trio.sleep(SAMPLE_SECONDS)
            self.samples.append((await pool.status(), resident_mib(broker)))


def measure_overload(report: Report, seconds: float) -> None:
    """Flood a broker for `seconds`, wait for the last answers, and check the claims."""
    with tempfile.TemporaryDirectory(prefix="rstar-") as folder:
        front, back = f"ipc://{folder}/clients", f"ipc://{folder}/workers"
        worker = ("benchmarks.broker.peers", "pool_worker", back, str(CAPACITY), str(JOB_SECONDS))
        ends = ("--clients", front, "--workers", back)
        with running("brokers", "overload", *ends) as broker, running(*worker):
            flood = trio.run(_flood, front, broker.pid, seconds)
    for status, memory in _thinned(flood.samples):
        report.row(
            seconds=status.uptime_seconds,
            finished=status.counters.finished,
            queued=status.queued,
            leased=status.leased,
            retained=status.retained,
            broker_mib=memory,
        )
    _claim(report, flood)


async def _flood(front: str, broker: int, seconds: float) -> Flood:
    flood = Flood(seconds)
    async with trio.open_nursery() as clients:

        async def client(number: int) -> None:
            async with (
                open_pool(front, name=f"flood-{number}", window=WINDOW) as pool,
                trio.open_nursery() as asks,
            ):
                if number == 0:
                    asks.start_soon(flood.watch, pool, broker)
                for _ in range(ASKING // CLIENTS):
                    asks.start_soon(flood.ask, pool)

        for number in range(CLIENTS):
            clients.start_soon(client, number)
    return flood


def _claim(report: Report, flood: Flood) -> None:
    settled = [memory for _, memory in flood.samples[int(SETTLED * len(flood.samples)) :]]
    longest = max(status.queued + status.leased for status, _ in flood.samples)
    report.claim("asks answered", flood.answered, "", ">", 0)
    report.claim("answers that are another job's", flood.wrong, "", "==", 0)
    report.claim("most jobs at the broker", longest, "", "<=", CLIENTS * WINDOW)
    report.claim("growth of its memory", settled[-1] / settled[0] - 1, "", "<=", 0.05)


def resident_mib(pid: int) -> float:
    """Memory of a process now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _thinned(samples: list[tuple[Status, float]], rows: int = 12) -> Iterator[tuple[Status, float]]:
    yield from samples[:: max(1, len(samples) // rows)]
