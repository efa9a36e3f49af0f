"""What confinement costs: our executor against the ways to do without it, and end to end.

Every manner runs the same programs, in turns; one that prints something else is marked wrong. CPU
is that of the whole process tree. `--code-judge` and `--sandbox-fusion` name checkouts of those
projects, with an environment of their own in `.venv` if they have one; without, no row for them.
"""

import argparse
import sys
from itertools import count
from pathlib import Path

import trio

from benchmarks.cpu_meter import Meter
from benchmarks.executor.baselines import BARE_FORK, Baseline, open_baselines
from benchmarks.executor.chain import Chain, measure_chain
from benchmarks.executor.jobs import JOBS, Job
from benchmarks.executor.nodes import measure_nodes
from benchmarks.executor.pool import measure_pool
from benchmarks.report import Report, open_report
from workers.sandbox import Options, Sandbox, open_sandbox

OURS, LIMIT, BASELINE = "ours, stateless", BARE_FORK, "subprocess + import"
GUESTS = ("code-judge", "sandbox-fusion")
Table = dict[tuple[str, str], Meter]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, say what holds."""
    parser = argparse.ArgumentParser()
    for guest in GUESTS:
        parser.add_argument(f"--{guest}", type=Path, metavar="FOLDER", help="its checkout")
    report = open_report(__doc__, arguments, parser)
    trio.run(_measure, report)
    return report.close()


async def _measure(report: Report) -> None:
    options = Options(
        slots=1, held_nodes=1100, held_mib=8192.0, prestart=("plain", "sympy", "numpy")
    )
    async with open_sandbox(options) as sandbox:
        await _stateless(report, sandbox)
        _report_chain(report, await measure_chain(sandbox, rounds=2 if report.short else 5))
        await measure_nodes(report, sandbox, 300 if report.short else 1000)
    await measure_pool(report, jobs=60 if report.short else 300)


async def _stateless(report: Report, sandbox: Sandbox) -> None:
    guests = {guest: getattr(report.options, guest.replace("-", "_")) for guest in GUESTS}
    with open_baselines(sandbox, guests) as (rivals, missing):
        table, wrong = await _in_turns(rivals, rounds=3 if report.short else 6)
    for (rival, job), meter in table.items():
        if (rival, job) in wrong:
            report.row(job=job, executor=rival, note="left out: prints something else")
        else:
            report.row(job=job, executor=rival, **_cells(meter))
    for rival, why in missing.items():
        report.row(executor=rival, note=f"left out: {why}")
    _claim_stateless(report, table)


async def _in_turns(rivals: list[Baseline], rounds: int) -> tuple[Table, set[tuple[str, str]]]:
    """Each round gives every rival its share of every job; the first one is not counted.

    Who printed something else is not asked for that job again.
    """
    table: Table = {(rival.name, job.name): Meter() for job in JOBS for rival in rivals}
    wrong: set[tuple[str, str]] = set()
    numbers = count()
    for turn in range(rounds + 1):
        for job in JOBS:
            seeds = [next(numbers) for _ in range(_share(job, heavy=False))]
            truth: list[str] = []
            for rival in rivals:
                if (rival.name, job.name) in wrong:
                    continue
                meter = table[rival.name, job.name] if turn else Meter()
                answers = await _run(rival, job, seeds[: _share(job, rival.heavy)], meter)
                truth = truth or answers
                if any(a != b for a, b in zip(answers, truth, strict=False)):
                    wrong.add((rival.name, job.name))
    return table, wrong


def _share(job: Job, heavy: bool) -> int:
    return 1 if heavy else 30 if job.name == "trivial" else 8


async def _run(rival: Baseline, job: Job, seeds: list[int], meter: Meter) -> list[str]:
    answers = []
    with meter:
        for seed in seeds:
            source = job.source(seed)
            meter.begin()
            answers.append(await rival.run(source))
            meter.end()
    return answers


def _cells(meter: Meter) -> dict[str, float | int]:
    walls = {f"wall_p{percent}_ms": round(meter.wall_ms(percent), 1) for percent in (50, 99)}
    return {"cpu_ms": round(meter.cpu_ms, 2), **walls, "jobs": meter.jobs}


def _claim_stateless(report: Report, table: Table) -> None:
    def cpu(rival: str, job: str) -> float:
        return table[rival, job].cpu_ms

    report.claim("trivial, all confinement on", cpu(OURS, "trivial"), "CPU ms", "<=", 10)
    report.claim("solve, all confinement on", cpu(OURS, "solve"), "CPU ms", "<=", 30)
    for job, times in (("trivial", 40), ("solve", 15)):
        ratio = cpu(BASELINE, job) / cpu(OURS, job)
        report.claim(f"{job}: cheaper than subprocess + import", ratio, "times", ">=", times)
    ratio = cpu(OURS, "trivial") / cpu(LIMIT, "trivial")
    report.claim("trivial: CPU of a bare fork", ratio, "times", "<=", 2)


def _report_chain(report: Report, chain: Chain) -> None:
    for name, executor, meter in chain.rows():
        report.row(job=name, executor=executor, **_cells(meter))
    report.claim("16-step chain: cheaper than replay", chain.whole, "times", ">=", 6)
    share = chain.whole / chain.limit
    report.claim("16-step chain: of what bare forks save", share, "share", ">=", 0.8)
    report.claim("extension at depth 16: cheaper than replay", chain.leaf, "times", ">=", 20)


if __name__ == "__main__":
    sys.exit(main())
