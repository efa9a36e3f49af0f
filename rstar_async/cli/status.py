"""`rstar status`: how far a running system is, with queues, leases and workers as its brokers see
them; or what became of a run that is not going on."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import trio
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from rstar_async.cli.narrow_tables import fitted
from rstar_async.cli.output import print_table
from rstar_async.cli.run_progress import RunProgress
from rstar_async.cli.stopped_run import StoppedRun, show_stopped
from rstar_async.errors import BadInput
from rstar_async.launch.lock import NotRunning
from rstar_async.launch.reach import brokers_of
from rstar_async.launch.slurm.job_file import active_job
from rstar_async.sanitize import without_controls
from rstar_async.wire.messages import Status, WorkerStatus
from rstar_async.wire.pool import PoolClient, open_pool

ANSWER_SECONDS = 5.0
REFRESH_SECONDS = 1.0
SILENT_SECONDS = 3.0  # a healthy worker beats every second
COLUMNS = (
    *("running", "capacity", "queued", "finished", "per second"),
    *("failed", "deaths", "redelivered", "duplicates", "rejected"),
)

Answers = dict[str, Status | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("home", nargs="?", type=Path, help="folder of a run, e.g. runs/demo")
    parser.add_argument(
        "--endpoints", nargs="+", metavar="ENDPOINT", help="or clients' endpoints of brokers"
    )
    parser.add_argument("--keys", type=Path, help="this client's CURVE keys")
    parser.add_argument("--once", action="store_true", help="print once, as always in a pipe")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Show a live table until Ctrl-C; or ask every broker once: 1 if one did not answer. Of a run
    that is not going on, say what became of it."""
    try:
        endpoints, keys = _brokers(arguments)
    except BadInput as error:
        if not (isinstance(error, NotRunning) or _is_queued(arguments.home)):
            raise
        return show_stopped(StoppedRun.of(arguments.home), as_json=arguments.json)
    progress = RunProgress.of(arguments.home)
    if sys.stdout.isatty() and not (arguments.once or arguments.json):
        trio.run(show_live, endpoints, keys, REFRESH_SECONDS, None, progress)
        return 0
    answers = trio.run(ask_once, endpoints, keys, ANSWER_SECONDS)
    if arguments.json:
        told = {**answers, **_facts(progress)} if progress else answers
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        console = Console()
        console.print(*(progress.lines(console.width) if progress else []), sep="\n")
        print_table(status_table(answers))
    return 0 if all(answers.values()) else 1


def _facts(progress: RunProgress) -> dict[str, object]:
    coordinators = progress.coordinators()
    return {
        "progress": progress.facts(),
        **({"coordinators": coordinators} if coordinators else {}),
    }


def _brokers(arguments: argparse.Namespace) -> tuple[list[str], Path | None]:
    """The endpoints to ask, and the keys to ask with."""
    if arguments.endpoints:
        return arguments.endpoints, arguments.keys
    if arguments.home is None:
        raise BadInput("give the folder of a run, or --endpoints")
    brokers = brokers_of(arguments.home)
    return [*brokers.endpoints.values()], arguments.keys or brokers.keys


def _is_queued(home: Path | None) -> bool:
    """Whether the run is a job that has not begun, and so has no store yet."""
    return home is not None and active_job(home) is not None


async def ask_once(endpoints: list[str], keys: Path | None, seconds: float) -> Answers:
    """Each broker's status, None for those that did not answer in time."""
    answers: Answers = dict.fromkeys(endpoints)

    async def ask(endpoint: str) -> None:
        with trio.move_on_after(seconds):
            async with open_pool(endpoint, name="status", keys=keys) as pool:
                answers[endpoint] = await pool.status()

    async with trio.open_nursery() as nursery:
        for endpoint in endpoints:
            nursery.start_soon(ask, endpoint)
    return answers


async def show_live(
    endpoints: list[str],
    keys: Path | None,
    pause: float,
    console: Console | None = None,
    progress: RunProgress | None = None,
) -> None:
    """Show the newest answers, with rates since the previous ones, until cancelled."""
    console = console or Console()
    now: Answers = dict.fromkeys(endpoints)

    async def follow(endpoint: str) -> None:
        async with open_pool(endpoint, name="status", keys=keys) as pool:
            while True:
                now[endpoint] = await _status(pool, pause)
                await trio.sleep(pause)

    with Live(console=console, auto_refresh=False) as live:
        async with trio.open_nursery() as nursery:
            for endpoint in endpoints:
                nursery.start_soon(follow, endpoint)
            while True:
                before = dict(now)
                await trio.sleep(pause)
                bars = (
                    await trio.to_thread.run_sync(progress.lines, console.width) if progress else []
                )
                table = fitted(status_table(now, before), console)
                live.update(Group(*bars, table), refresh=True)


async def _status(pool: PoolClient, seconds: float) -> Status | None:
    """None if the broker does not answer in time."""
    with trio.move_on_after(seconds):
        return await pool.status()
    return None


def status_table(
    now: Mapping[str, Status | None], before: Mapping[str, Status | None] | None = None
) -> Table:
    """Return the answers of brokers as a table; rates are since the earlier answers `before`."""
    table = Table(title="brokers and their workers", title_justify="left")
    table.add_column("pool / worker")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for endpoint, status in now.items():
        if status is None:
            table.add_row(f"{endpoint}: no answer", style="red")
            continue
        table.add_row(*_pool_cells(status, (before or {}).get(endpoint)), style="bold")
        for worker in sorted(status.workers, key=lambda worker: worker.name):
            style = "red" if worker.quarantine_seconds else ""
            table.add_row(*_worker_cells(worker), style=style)
    return table


def _pool_cells(status: Status, before: Status | None) -> list[str]:
    counters = status.counters
    numbers = (
        status.leased,
        sum(worker.capacity for worker in status.workers),
        status.queued,
        counters.finished,
        _rate(status, before),
        counters.errors + counters.dead + counters.expired,
        counters.deaths,
        counters.redelivered,
        counters.duplicates,
        counters.rejected,
    )
    return [status.pool, *map(str, numbers)]


def _worker_cells(worker: WorkerStatus) -> list[str]:
    silent = worker.silent_seconds
    remark = f"  silent for {silent:.0f} s" if silent > SILENT_SECONDS else ""
    draining = "  draining" if worker.capacity == 0 else ""
    name = escape(without_controls(worker.name))
    words = f"  {name}{draining}{remark}{_quarantine(worker)}"
    return [words, str(worker.running), str(worker.capacity)]


def _quarantine(worker: WorkerStatus) -> str:
    if not worker.quarantine_seconds:
        return ""
    return f"  quarantined for {worker.quarantine_seconds:.0f} s after {worker.faults} faults"


def _rate(status: Status, before: Status | None) -> str:
    """Results a second since `before`; none if the broker has been restarted since."""
    if before is None or before.epoch != status.epoch:
        return ""
    seconds = status.uptime_seconds - before.uptime_seconds
    if seconds <= 0:
        return ""
    return f"{(status.counters.finished - before.counters.finished) / seconds:.1f}"
