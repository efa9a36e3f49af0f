"""What confinement costs: this executor against executors without it, and end to end.

All executors run the same programs, in turns; one with other output is marked wrong. CPU time is
that of the whole process tree. `--code-judge` and `--sandbox-fusion` name checkouts of those
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

OURS, BARE, BASELINE = "ours, stateless", BARE_FORK, "subprocess + import"
PROJECTS = ("code-judge", "sandbox-fusion")
Table = dict[tuple[str, str], Meter]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, check the claims."""
    parser = argparse.ArgumentParser()
    for project in PROJECTS:
        parser.add_argument(f"--{project}", type=Path, metavar="FOLDER", help="its checkout")
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
    options = vars(report.options)
    checkouts = {project: options[project.replace("-", "_")] for project in PROJECTS}
    with open_baselines(sandbox, checkouts) as (baselines, missing):
        table, wrong = await _in_turns(baselines, rounds=3 if report.short else 6)
    for (baseline, job), meter in table.items():
        if (baseline, job) in wrong:
            report.row(job=job, executor=baseline, note="left out: prints something else")
        else:
            report.row(job=job, executor=baseline, **_cells(meter))
    for baseline, why in missing.items():
        report.row(executor=baseline, note=f"left out: {why}")
    _claim_stateless(report, table)


async def _in_turns(baselines: list[Baseline], rounds: int) -> tuple[Table, set[tuple[str, str]]]:
    """In each round every baseline runs its share of every job; the first round is not counted.

    A baseline with other output does not run that job again.
    """
    table: Table = {(baseline.name, job.name): Meter() for job in JOBS for baseline in baselines}
    wrong: set[tuple[str, str]] = set()
    numbers = count()
    for round_ in range(rounds + 1):
        for job in JOBS:
            seeds = [next(numbers) for _ in range(_share(job, heavy=False))]
            truth: list[str] = []
            for baseline in baselines:
                if (baseline.name, job.name) in wrong:
                    continue
                meter = table[baseline.name, job.name] if round_ else Meter()
                answers = await _run(baseline, job, seeds[: _share(job, baseline.heavy)], meter)
                truth = truth or answers
                if any(a != b for a, b in zip(answers, truth, strict=False)):
                    wrong.add((baseline.name, job.name))
    return table, wrong


def _share(job: Job, heavy: bool) -> int:
    return 1 if heavy else 30 if job.name == "trivial" else 8


async def _run(baseline: Baseline, job: Job, seeds: list[int], meter: Meter) -> list[str]:
    answers = []
    with meter:
        for seed in seeds:
            source = job.source(seed)
            meter.begin()
            answers.append(await baseline.run(source))
            meter.end()
    return answers


def _cells(meter: Meter) -> dict[str, float | int]:
    walls = {f"wall_p{percent}_ms": round(meter.wall_ms(percent), 1) for percent in (50, 99)}
    return {"cpu_ms": round(meter.cpu_ms, 2), **walls, "jobs": meter.jobs}


def _claim_stateless(report: Report, table: Table) -> None:
    def cpu(baseline: str, job: str) -> float:
        return table[baseline, job].cpu_ms

    report.claim("trivial, all locks on", cpu(OURS, "trivial"), "CPU ms", "<=", 10)
    report.claim("solve, all locks on", cpu(OURS, "solve"), "CPU ms", "<=", 30)
    for job, times in (("trivial", 40), ("solve", 15)):
        ratio = cpu(BASELINE, job) / cpu(OURS, job)
        report.claim(f"{job}: cheaper than subprocess + import", ratio, "times", ">=", times)
    ratio = cpu(OURS, "trivial") / cpu(BARE, "trivial")
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
