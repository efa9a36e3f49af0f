"""The cost of the search itself: CPU time per node, with a model that answers at once.

The parts of the system are added in turn: the tree and its searcher alone, brokers, the store, the
sandbox. `cpu us` is that of coordinator (with store thread and sockets), brokers and sandbox; the
workers with canned answers are shown beside it. CPU time is steadier than wall time on a machine
with other load. Rows over trees at once, and over tree size.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import trio

from benchmarks.report import Report, open_report
from benchmarks.search.baselines import measure_peers
from benchmarks.search.rig import Parts, Rig, open_rig

ALONE, COMPLETE = "search alone", "+ store"
PARTS = {
    ALONE: Parts(),
    "+ brokers": Parts(brokers=True),
    COMPLETE: Parts(brokers=True, store=True),
    "+ sandbox": Parts(brokers=True, store=True, executor=True),
}
SIZES = (100, 1000, 10_000)
TREES = (1, 32, 256, 1000)
PURE_US, COMPLETE_US, GROWTH, GIGABYTES, FLOOR_SECONDS = 300, 1000, 1.2, 2.0, 0.2
FLOOR_ROLLOUTS, FLOOR_ATTEMPTS = 4, 15
NODES_IN_ROW = 10_000  # per row at least, so that small trees are not measured by chance

Costs = dict[tuple[int, int], float]


def main(arguments: list[str] | None = None) -> int:
    """Measure with one more part each time."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="FOLDER",
        help="environments of other projects; see baselines.py",
    )
    report = open_report(__doc__, arguments, parser)
    measured = {name: trio.run(_measure, report, name, parts) for name, parts in PARTS.items()}
    report.claim("search alone", measured[ALONE][1, 1000], "µs/node", "<=", PURE_US)
    for trees, nodes in ((1, 1000), (32, 100)):
        cost = measured[COMPLETE][trees, nodes]
        name = f"with brokers and store, {trees} x {nodes:,}"
        report.claim(name, cost, "µs/node", "<=", COMPLETE_US)
    for name in (ALONE, COMPLETE):
        _claim_flat(report, name, measured[name])
    measure_peers(report, measured[ALONE][1, 1000])
    return report.close()


async def _measure(report: Report, name: str, parts: Parts) -> Costs:
    """CPU microseconds per node, by number of trees and nodes a tree."""
    found: Costs = {}
    async with open_rig(parts) as rig:
        await rig.grow(1, 100, batch="warm")
        for trees, nodes in _shapes(parts, short=report.short):
            found[trees, nodes] = await _row(report, rig, name, trees, nodes)
        if name == COMPLETE:
            await _claim_floor(report, rig)
        if name == (ALONE if report.short else COMPLETE):
            memory = rig.peak_mib() / 1024
            report.claim("memory with 1,000 trees in flight", memory, "GiB", "<", GIGABYTES)
    return found


def _shapes(parts: Parts, *, short: bool) -> list[tuple[int, int]]:
    """Trees at once and nodes a tree: along one axis, then along the other."""
    sizes = [(1, nodes) for nodes in SIZES]
    numbers = [(trees, 100) for trees in TREES if trees > 1]
    if parts.executor:
        return [(1, 100), (32, 100)]
    if short and parts != Parts():
        return [(1, 100), (1, 1000), (32, 100)]
    return [*sizes, *numbers]


async def _row(report: Report, rig: Rig, name: str, trees: int, nodes: int) -> float:
    """Small trees are searched several times, one after the other."""
    print(f"{name}: {trees:,} x {nodes:,} nodes", file=sys.stderr, flush=True)
    times = 1 if rig.parts.executor else max(1, NODES_IN_ROW // (trees * nodes))
    before, at_workers, started = rig.cpu_seconds(), rig.worker_seconds(), time.perf_counter()
    grown = 0
    for number in range(times):
        grown += await rig.grow(trees, nodes, batch=f"{trees}x{nodes}-{number}")
    seconds = time.perf_counter() - started
    cpu_us = 1e6 * (rig.cpu_seconds() - before) / grown
    report.row(
        parts=name,
        trees=trees,
        nodes_a_tree=nodes,
        nodes=grown,
        cpu_us_per_node=cpu_us,
        workers_us=1e6 * (rig.worker_seconds() - at_workers) / grown,
        nodes_per_second=grown / seconds,
    )
    return cpu_us


def _claim_flat(report: Report, name: str, costs: Costs) -> None:
    largest = max(nodes for trees, nodes in costs if trees == 1)
    if largest > SIZES[-2]:
        growth = costs[1, largest] / costs[1, SIZES[-2]]
        claim = f"{name}: a node of {largest:,} against one of {SIZES[-2]:,}"
        report.claim(claim, growth, "", "<=", GROWTH)


async def _claim_floor(report: Report, rig: Rig) -> None:
    """Wall time of one problem with a model that takes no time."""
    taken, grown = [], 0
    for attempt in range(FLOOR_ATTEMPTS):
        started = time.perf_counter()
        grown = await rig.grow(1, 10**9, rollouts=FLOOR_ROLLOUTS, batch=f"floor-{attempt}")
        taken.append(time.perf_counter() - started)
    about = f"+ store, {FLOOR_ROLLOUTS} rollouts"
    report.row(parts=about, trees=1, nodes=grown, seconds=min(taken), median=median(taken))
    report.claim("one problem's latency floor", min(taken), "s", "<", FLOOR_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
