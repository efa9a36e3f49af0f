"""`python -m benchmarks.resume [--nodes N]`: seconds from kill -9 to the next stored expansion.

The coordinator of a run with a million nodes in its store is killed while it searches, and again.
The clock runs from the SIGKILL to the first expansion that the next coordinator has committed, so
it has the start of a Python process in it, and the reading of every tree that is in flight.
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
import trio

from benchmarks.chaos.injector import ENDLESS, prepared_run, quiet
from benchmarks.chaos.running import running
from benchmarks.report import open_report
from benchmarks.store.synthetic import fill_store, recipe_in
from rstar_async.config import Recipe
from rstar_async.launch.processes import Places, ProcessSpec
from rstar_async.launch.supervisor import run_processes
from storage.database import Database, open_database
from storage.queries.select import total
from storage.tables import searches

NODES_PER_TREE = 1000
KILLS = 3
POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0
LIMIT_SECONDS = 240.0
TARGET_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Fill a store, run, kill, and measure."""
    report = open_report(__doc__, arguments, _parser())
    nodes = report.options.nodes or (150_000 if report.short else 1_000_000)
    with tempfile.TemporaryDirectory(prefix="rstar-resume-", dir=report.options.folder) as folder:
        recipe = recipe_in(Path(folder), nodes // NODES_PER_TREE)
        started = time.monotonic()
        planted = fill_store(recipe, NODES_PER_TREE)
        report.row(what="planting", nodes=planted, seconds=time.monotonic() - started)
        seconds = measure(recipe)
    report.row(what="cold start", nodes=planted, seconds=seconds[0])
    for number, value in enumerate(seconds[1:], start=1):
        report.row(what=f"after kill {number}", nodes=planted, seconds=value)
    report.claim("nodes stored", planted, "", ">=", 0.99 * nodes)
    report.claim("kill to search", statistics.median(seconds[1:]), "s", "<", TARGET_SECONDS)
    return report.close()


def measure(recipe: Recipe) -> list[float]:
    """Seconds to the first expansion after the start, and after each kill."""
    with (
        prepared_run(recipe, delay=0.02) as (specs, places),
        open_database(recipe.database_url, must_exist=True, readers=1) as database,
    ):
        needed = [spec for spec in specs if spec.name != "trainer"]
        return trio.run(_kill_and_wait, needed, places, database)


async def _kill_and_wait(
    specs: list[ProcessSpec], places: Places, database: Database
) -> list[float]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: run_processes(specs, places.logs, report=quiet, backoff=ENDLESS))
        with trio.fail_after(LIMIT_SECONDS):
            taken = [await _until_more(database, database.read(_stored))]
            for _ in range(KILLS):
                await trio.sleep(GRACE_SECONDS)
                os.kill(running(specs)["coordinator"], signal.SIGKILL)
                taken.append(await _until_more(database, database.read(_stored)))
        nursery.cancel_scope.cancel()
    return taken


async def _until_more(database: Database, before: int) -> float:
    started = time.monotonic()
    while database.read(_stored) <= before:  # noqa: ASYNC110  the database sets no event
        await trio.sleep(POLL_SECONDS)
    return time.monotonic() - started


def _stored(connection: sa.Connection) -> int:
    """Grows with every expansion that is committed."""
    found: int = connection.execute(sa.select(total(searches.c.expansions))).scalar_one()
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume")
    parser.add_argument("--nodes", type=int, default=0, help="default: 1 M, with --short 150 000")
    parser.add_argument("--folder", type=Path, help="where to put the store meanwhile")
    return parser


if __name__ == "__main__":
    sys.exit(main())
