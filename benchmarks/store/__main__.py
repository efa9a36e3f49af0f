"""`python -m benchmarks.store`: durable commits a second, and page times over a million nodes.

Producers stand for searchers: each commits a node, waits until it is on the disk, and commits the
next. PostgreSQL is measured if --postgres or RSTAR_TEST_POSTGRES names a database, in a temporary
schema. Pages are requested from a real `rstar view`, the first one by a real Chromium if there is
one (`benchmarks.store.pages`).
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import msgspec
import sqlalchemy as sa
import trio

from benchmarks.own_schema import own_schema
from benchmarks.report import Report, open_report
from benchmarks.store.pages import measure_pages
from storage.records import Node, Problem, Round, Run, Search
from storage.store import Statistics, Store, open_store

PRODUCERS = (16, 256, 1024)
SECONDS, SHORT_SECONDS = 10.0, 3.0
NODES, SHORT_NODES = 1_000_000, 100_000
TARGET_PRODUCERS, TARGET_COMMITS = 256, 8000
SEARCH = "s"
STEP = "<code>\n# Take away what was sold.\nleft = boxes * 12 - sold\n<end_of_step>"


class Burst(msgspec.Struct):
    """Results of one number of producers; `latencies` in seconds, one for each commit."""

    seconds: float
    cpu_seconds: float
    latencies: list[float]
    stored: int
    statistics: Statistics


def main(arguments: list[str] | None = None) -> int:
    """Measure commits to each database, then the pages of a large store."""
    report = open_report(__doc__, arguments, _parser())
    server = report.options.postgres or os.environ.get("RSTAR_TEST_POSTGRES")
    with tempfile.TemporaryDirectory(prefix="rstar-store-", dir=report.options.folder) as folder:
        for producers in () if report.options.no_commits else PRODUCERS:
            _commits(report, "sqlite", f"sqlite:///{folder}/{producers}.db", producers)
            with own_schema(server) if server else nullcontext() as url:
                if url:
                    _commits(report, "postgresql", url, producers)
        if not report.options.no_pages:
            nodes = report.options.nodes or (SHORT_NODES if report.short else NODES)
            measure_pages(report, report.options.store or Path(folder) / "pages.db", nodes)
    return report.close()


def _commits(report: Report, database: str, url: str, producers: int) -> None:
    seconds = SHORT_SECONDS if report.short else SECONDS
    burst = trio.run(_burst, url, producers, seconds)
    rate = len(burst.latencies) / burst.seconds
    cuts = statistics.quantiles(burst.latencies, n=100)
    report.row(
        what=f"{database}, {producers} producers",
        per_second=rate,
        per_cpu_second=len(burst.latencies) / burst.cpu_seconds,
        median_ms=1000 * cuts[49],
        p99_ms=1000 * cuts[98],
        per_transaction=burst.statistics.commits / burst.statistics.transactions,
    )
    lost = len(burst.latencies) - burst.stored
    report.claim(f"lost, {database} {producers}", lost, "", "==", 0)
    if database == "sqlite" and producers == TARGET_PRODUCERS:
        report.claim(f"commits, sqlite {producers}", rate, "commits/s", ">=", TARGET_COMMITS)


async def _burst(url: str, producers: int, seconds: float) -> Burst:
    latencies: list[float] = []
    async with open_store(url) as store:
        await store.commit(
            Run("r", {}, 1, "benchmark"),
            Problem("p", "r", "How many are left?", "42"),
            Round("r", 1, "searching", "policy"),
            Search(SEARCH, "r", 1, "p", "train", 1, "policy", status="running"),
        )
        started, cpu = time.perf_counter(), time.process_time()
        async with trio.open_nursery() as nursery:
            for number in range(producers):
                nursery.start_soon(_produce, store, number, started + seconds, latencies)
        taken, cpu = time.perf_counter() - started, time.process_time() - cpu
        stored = await store.read(_count)
        return Burst(taken, cpu, latencies, stored, store.statistics())


async def _produce(store: Store, producer: int, end: float, latencies: list[float]) -> None:
    number, before = 0, time.perf_counter()
    while before < end:
        number += 1
        await store.commit(_node(f"0.{producer}.{number}"))
        now = time.perf_counter()
        latencies.append(now - before)
        before = now


def _node(path: str) -> Node:
    return Node(
        SEARCH, path, 1, 2, STEP, "", tuple(range(30)), (), "live", "stop",
        prior=0.25, visits=1, value_sum=0.25, policy_id="policy", exec_status="ok", stdout="42\n",
        cpu_seconds=0.004, peak_mib=31.5,
    )  # fmt: skip


def _count(connection: sa.Connection) -> int:
    return connection.scalar(sa.text("SELECT count(*) FROM nodes")) or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store")
    parser.add_argument("--postgres", help="URL of a database that may be written to")
    parser.add_argument("--nodes", type=int, default=0, help="default: 1 M, with --short 100 000")
    parser.add_argument("--no-pages", action="store_true", help="commits only")
    parser.add_argument("--no-commits", action="store_true", help="pages only")
    parser.add_argument("--folder", type=Path, help="where to put the stores meanwhile")
    parser.add_argument("--store", type=Path, help="keep the store of the pages in this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
