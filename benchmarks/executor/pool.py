"""End to end: a client, a broker and two executor workers, each a process; jobs that all differ."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from benchmarks.cpu_meter import Meter, tree_cpu_seconds
from benchmarks.executor.jobs import solve, trivial
from benchmarks.report import Report
from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Execute, Executed
from rstar_async.wire.pool import PoolClient, open_pool

WORKERS = 2
IN_FLIGHT = 8
START_SECONDS = 60.0
Make = Callable[[int], str]
JOBS: dict[str, tuple[Make, int]] = {"trivial": (trivial, 3), "solve": (solve, 1)}


@dataclass
class Tally:
    """The CPU seconds that the jobs report, and how long each took."""

    job_seconds: float = 0.0
    round_trips: Meter = field(default_factory=Meter)


async def measure_pool(report: Report, jobs: int) -> None:
    """Jobs per second and the share of the CPU time that is not the jobs' own."""
    with _system() as endpoint:
        async with open_pool(endpoint, name="benchmark") as pool:
            with trio.fail_after(START_SECONDS):
                while len((await pool.status()).workers) < WORKERS:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            for name, (make, times) in JOBS.items():
                await _run_jobs(pool, f"warm {name}", make, 4, Tally())
                await _measure_job(report, pool, name, make, jobs * times)


async def _measure_job(report: Report, pool: PoolClient, name: str, make: Make, jobs: int) -> None:
    tally = Tally()
    before, started = tree_cpu_seconds(), time.perf_counter()
    await _run_jobs(pool, name, make, jobs, tally)
    seconds, cpu = time.perf_counter() - started, tree_cpu_seconds() - before
    overhead = 1 - tally.job_seconds / cpu
    report.row(
        job=f"{name}, end to end",
        executor=f"broker + {WORKERS} workers",
        cpu_ms=round(1000 * cpu / jobs, 2),
        wall_p50_ms=round(tally.round_trips.wall_ms(50), 1),
        wall_p99_ms=round(tally.round_trips.wall_ms(99), 1),
        jobs=jobs,
        jobs_per_second=round(jobs / seconds, 1),
        cpu_not_the_job=f"{overhead:.0%}",
        note=f"{IN_FLIGHT} in flight; one tree each",
    )


async def _run_jobs(pool: PoolClient, name: str, make: Make, jobs: int, tally: Tally) -> None:
    numbers = iter(range(jobs))

    async def run_next() -> None:
        for number in numbers:
            tree, began = f"{name} {number}", time.perf_counter()
            request = Execute(tree, [make(number)])
            answer = await pool.request(request, Executed, job=job_id(tree), group=tree)
            tally.round_trips.walls.append(time.perf_counter() - began)
            pool.cancel_group(tree)
            if answer.status != "ok":
                raise AssertionError(f"a job ended by {answer}")
            tally.job_seconds += answer.cpu_seconds

    async with trio.open_nursery() as nursery:
        for _ in range(IN_FLIGHT):
            nursery.start_soon(run_next)


@contextmanager
def _system() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
        worker = ("workers", "executor", "--slots", "1", "--endpoint", workers, "--name")
        broker = ("brokers", "executor", "--clients", clients, "--workers", workers)
        commands = [broker, *((*worker, f"executor-{number}") for number in range(WORKERS))]
        log = stack.enter_context((Path(folder) / "log").open("wb"))
        for command in commands:
            process = subprocess.Popen([sys.executable, "-m", *command], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield clients
