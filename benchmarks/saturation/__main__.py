"""How many engines one coordinator keeps busy, with and without a barrier after each step.

The coordinator's search and store (SQLite) and the three brokers are real processes. Engines are
simulated from a published curve (`curve.py`), 256 sequences at once; executors and PPM answer at
once, which flatters the barrier, since it has to wait for them too. Steps have 80 tokens on the
average, log-normally (assumed), expansions 8 candidates (the paper's), and there are a quarter more
trees than the engines can take.

Engines run slower by the factor `--dilation`, so that a small machine can serve sixteen of them:
one second of theirs is that many of ours, and all figures are in theirs. The rest is as fast as it
is: a thread that used 0.02 cores at dilation 20 would use 0.4 at full speed. That is what `loop`
and `store` (of the coordinator) and `broker` (the busiest) say: cores, of one thread each, that
real engines would ask for. Where one is above 1, it would set the pace instead of the engines, so
`busy`, `speed` and nodes are divided by it. `busy` is the share of time in which an engine computes
anything, `speed` what it generates of what a batch that is always full would.
"""

import argparse
import sys
import time
from typing import NamedTuple

import trio

from benchmarks.report import Report, open_report
from benchmarks.saturation.batch import Totals
from benchmarks.saturation.coordinator import CANDIDATES
from benchmarks.saturation.curve import Curve, fitted
from benchmarks.saturation.engines import SEQUENCES, Engine, open_engines
from benchmarks.saturation.system import Cpu, System, open_system
from rstar_async.launch.sockets import workers_endpoint

ENGINES = (1, 4, 16)
OVERSUBSCRIPTION = 1.25
CONTEXT = 400  # tokens of a sequence, for the speed of a full batch
BUSY, LEAD = 0.9, 2.0
START_SECONDS, WARM_SECONDS = 120.0, 30.0  # of ours, of the engines'


class Measurement(NamedTuple):
    """What `engines` engines did in `seconds` of their time, and the CPU seconds it took."""

    engines: int
    seconds: float
    totals: Totals
    before: Cpu
    after: Cpu

    @property
    def loop(self) -> float:
        return (self.after.loop - self.before.loop) / self.seconds

    @property
    def store(self) -> float:
        return (self.after.store - self.before.store) / self.seconds

    @property
    def verifier(self) -> float:
        return (self.after.verifier - self.before.verifier) / self.seconds

    @property
    def broker(self) -> float:
        """The busiest of the three."""
        return max(
            (self.after.brokers[pool] - used) / self.seconds
            for pool, used in self.before.brokers.items()
        )

    @property
    def pace(self) -> float:
        """Share of the engines' speed that the busiest single thread could keep up with."""
        return 1 / max(1.0, self.loop, self.store, self.broker)

    @property
    def busy(self) -> float:
        return self.pace * self.totals.busy / (self.seconds * self.engines)

    @property
    def tokens_per_second(self) -> float:
        return self.pace * self.totals.tokens / self.seconds


def main(arguments: list[str] | None = None) -> int:
    """Measure each number of engines without the barrier and with it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engines", type=int, nargs="+", default=ENGINES, metavar="N")
    parser.add_argument(
        "--dilation", type=float, default=20.0, help="a second of the engines, here"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of the engines, for each row")
    report = open_report(__doc__, arguments, parser)
    options = report.options
    if report.short:
        options.engines, options.dilation, options.seconds = [4], 4.0, 8.0
    for engines in options.engines:
        free, held = (
            trio.run(_measure, engines, options.dilation, options.seconds, barrier)
            for barrier in (False, True)
        )
        for name, measured in (("none", free), ("after each step", held)):
            _row(report, name, measured)
        lead = free.tokens_per_second / held.tokens_per_second
        report.claim(f"{engines} engines busy", free.busy, "", ">=", BUSY)
        report.claim(f"{engines} engines, against the barrier", lead, "times", ">=", LEAD)
    return report.close()


def _row(report: Report, barrier: str, measured: Measurement) -> None:
    full = measured.engines * _full_speed(fitted())
    nodes = measured.totals.sequences / measured.seconds
    report.row(
        engines=measured.engines,
        barrier=barrier,
        busy=measured.busy,
        speed=measured.tokens_per_second / full,
        nodes_per_second=nodes * measured.pace,
        loop=measured.loop,
        store=measured.store,
        verifier=measured.verifier,
        broker=measured.broker,
    )


def _full_speed(curve: Curve) -> float:
    """Tokens a second of one engine whose batch is always full, prefill left out."""
    return SEQUENCES / curve.decoding_seconds(SEQUENCES, SEQUENCES * CONTEXT)


async def _measure(engines: int, dilation: float, seconds: float, barrier: bool) -> Measurement:
    trees = round(OVERSUBSCRIPTION * engines * SEQUENCES / CANDIDATES)
    about = "with" if barrier else "without"
    print(f"{engines} engines, {trees} trees, {about} a barrier", file=sys.stderr, flush=True)
    with open_system() as system:
        endpoint = workers_endpoint(system.sockets, "inference")
        async with open_engines(endpoint, engines, fitted(), dilation) as running:
            system.start_coordinator(trees, barrier=barrier)
            await _until_warm(system, running, trees, dilation)
            before, cpu_before, began = _totals(running), system.cpu(), time.monotonic()
            await trio.sleep(seconds * dilation)
            passed = (time.monotonic() - began) / dilation
            after, cpu_after = _totals(running), system.cpu()
            system.check()
    return Measurement(engines, passed, after.since(before), cpu_before, cpu_after)


async def _until_warm(system: System, engines: list[Engine], trees: int, dilation: float) -> None:
    """Until every tree has had its first two expansions, on the average."""
    with trio.fail_after(START_SECONDS + WARM_SECONDS * dilation):
        while _totals(engines).sequences < 2 * trees * CANDIDATES:
            system.check()
            await trio.sleep(0.2)


def _totals(engines: list[Engine]) -> Totals:
    return sum((engine.totals for engine in engines), Totals())


if __name__ == "__main__":
    sys.exit(main())
