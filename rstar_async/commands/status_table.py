"""The table of `rstar status`: a line for each pool, and one for each of its workers. Pure."""

from collections.abc import Mapping

from rich.table import Table

from rstar_async.wire.messages import Status, WorkerStatus

COLUMNS = (
    *("running", "capacity", "queued", "finished", "per second"),
    *("failed", "deaths", "redelivered", "duplicates"),
)
SILENT_SECONDS = 3.0  # a healthy worker beats every second


def status_table(
    now: Mapping[str, Status | None], before: Mapping[str, Status | None] | None = None
) -> Table:
    """Lay out the answers of brokers, by endpoint; `before` are earlier ones, for the rates."""
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
            table.add_row(*_worker_cells(worker))
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
    )
    return [status.pool, *map(str, numbers)]


def _worker_cells(worker: WorkerStatus) -> list[str]:
    silent = worker.silent_seconds
    remark = f"  silent for {silent:.0f} s" if silent > SILENT_SECONDS else ""
    draining = "  draining" if worker.capacity == 0 else ""
    return [f"  {worker.name}{draining}{remark}", str(worker.running), str(worker.capacity)]


def _rate(status: Status, before: Status | None) -> str:
    """Results a second since `before`, which must be of the same broker's same life."""
    if before is None or before.epoch != status.epoch:
        return ""
    seconds = status.uptime_seconds - before.uptime_seconds
    if seconds <= 0:
        return ""
    return f"{(status.counters.finished - before.counters.finished) / seconds:.1f}"
