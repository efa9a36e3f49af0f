"""What the search itself costs: CPU time per node, with a model that answers at once.

Each part of the system is added in turn: the tree and its searcher alone, brokers, the store, the
sandbox. CPU microseconds are of all our processes together, canned workers left out; they say more
than wall time on a machine that does other things too. Rows over trees at once, and over tree size.
"""

import resource
import sys
import time

import trio

from benchmarks.report import Report, open_report
from benchmarks.search_rig import Parts, Rig, open_rig

PARTS = {
    "search alone": Parts(),
    "+ brokers": Parts(brokers=True),
    "+ store": Parts(brokers=True, store=True),
    "+ sandbox": Parts(brokers=True, store=True, executor=True),
}
SIZES = (100, 1000, 10_000)
TREES = (1, 32, 256, 1000)
PURE_US, COMPLETE_US, GROWTH, GIGABYTES, FLOOR_SECONDS = 300, 1000, 1.2, 2.0, 0.2
FLOOR_ROLLOUTS = 4


def main(arguments: list[str] | None = None) -> int:
    """Measure with one part more each time."""
    report = open_report(__doc__, arguments)
    measured = {name: trio.run(_measure, report, name, parts) for name, parts in PARTS.items()}
    pure, complete = measured["search alone"], measured["+ store"]
    report.claim("search alone, 1,000 nodes", pure[1, 1000], "µs/node", "<=", PURE_US)
    report.claim("with brokers and store", complete[32, 100], "µs/node", "<=", COMPLETE_US)
    largest = max(nodes for _, nodes in pure)
    growth = pure[1, largest] / pure[1, 1000]
    report.claim(f"{largest:,} nodes against 1,000, per node", growth, "", "<=", GROWTH)
    return report.close()


async def _measure(report: Report, name: str, parts: Parts) -> dict[tuple[int, int], float]:
    """CPU microseconds per node, by number of trees and nodes a tree."""
    found: dict[tuple[int, int], float] = {}
    async with open_rig(parts) as rig:
        await rig.grow(1, 100, batch="warm")
        for trees, nodes in _shapes(parts, short=report.short):
            found[trees, nodes] = await _row(report, rig, name, trees, nodes)
        if parts == PARTS["+ store"]:
            await _claim_floor(report, rig)
    if parts == PARTS["search alone"]:
        _claim_memory(report)
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
    before, started = rig.cpu_seconds(), time.perf_counter()
    grown = await rig.grow(trees, nodes, batch=f"{trees}x{nodes}")
    seconds = time.perf_counter() - started
    cpu_us = 1e6 * (rig.cpu_seconds() - before) / grown
    report.row(
        parts=name,
        trees=trees,
        nodes_a_tree=nodes,
        nodes=grown,
        cpu_us_per_node=cpu_us,
        nodes_per_second=grown / seconds,
        memory_mib=_peak_mib(),
    )
    return cpu_us


async def _claim_floor(report: Report, rig: Rig) -> None:
    """Wall time of one problem alone: what a search takes though the model takes nothing."""
    taken = []
    for attempt in range(5):
        started = time.perf_counter()
        await rig.grow(1, 10**9, rollouts=FLOOR_ROLLOUTS, batch=f"floor-{attempt}")
        taken.append(time.perf_counter() - started)
    report.row(parts="one problem, 4 rollouts of 8 candidates", seconds=min(taken))
    report.claim("one problem's latency floor", min(taken), "s", "<", FLOOR_SECONDS)


def _claim_memory(report: Report) -> None:
    """The largest shape so far was 1,000 trees in flight."""
    report.claim("memory with 1,000 trees", _peak_mib() / 1024, "GiB", "<", GIGABYTES)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
