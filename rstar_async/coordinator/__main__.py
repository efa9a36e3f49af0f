"""The coordinator process: `python -m rstar_async.coordinator --recipe FILE --sockets DIR`."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from rich.console import Console

from rstar_async.config import Recipe
from rstar_async.config.loader import read_stored_recipe
from rstar_async.coordinator.activity import record_activity
from rstar_async.coordinator.driver import Driver, run_row
from rstar_async.coordinator.gpu_sharing import SharedGPU
from rstar_async.coordinator.membership import Alone, Membership, open_membership
from rstar_async.coordinator.progress import show_progress
from rstar_async.domains.registry import domain_of
from rstar_async.errors import BadInput
from rstar_async.evaluation.unmeasured import Unmeasured
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.reports.round_rows import report_of
from rstar_async.reports.terminal import table_of
from rstar_async.search.metrics import update_pool_metrics
from rstar_async.search.pools import Pools, open_pools
from rstar_async.search.runner import SearchRunner
from rstar_async.telemetry import process
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.exception_groups import first
from rstar_async.wire.payloads import POOLS, Pool
from storage.database import open_database
from storage.errors import LostLease
from storage.store import Store, open_store

BAD_INPUT = 2
UNMEASURED = os.EX_TEMPFAIL  # for the supervisor: starting it again would not help
LOST_LEASE = os.EX_UNAVAILABLE  # started again, it takes part again
TOLD_TO_STOP = 128 + signal.SIGTERM
TABLE_COLUMNS = 200  # it goes to the log of a container


def main() -> int:
    """Exit code 0 when all rounds are closed, 2 on bad input, 69 if other coordinators have taken
    over, 75 if something could not be measured, 143 when told to stop before."""
    arguments = _parser().parse_args()
    try:
        recipe = read_stored_recipe(arguments.recipe)
        process.begin(arguments, "coordinator")
        endpoints, name = _endpoints(arguments), arguments.name or _own_name()
        complete = process.run(coordinate, recipe, endpoints, arguments.keys, name)
    except (BadInput, Unmeasured) as error:
        return _refuse(error)
    except BaseExceptionGroup as group:
        if (inside := group.subgroup((BadInput, Unmeasured, LostLease))) is None:
            raise
        return _refuse(first(inside))
    if complete and arguments.table:
        _print_rounds(recipe)
    return 0 if complete else TOLD_TO_STOP


def _refuse(error: BaseException) -> int:
    print(f"coordinator: {error}", file=sys.stderr)
    if isinstance(error, LostLease):
        return LOST_LEASE
    return BAD_INPUT if isinstance(error, BadInput) else UNMEASURED


def _print_rounds(recipe: Recipe) -> None:
    with open_database(recipe.database_url, must_exist=True) as database:
        report = report_of(database, recipe.name, recipe.database_url)
    Console(width=TABLE_COLUMNS).print(table_of(report))


async def coordinate(
    recipe: Recipe, endpoints: Mapping[Pool, str], keys: Path | None = None, name: str = ""
) -> bool:
    """Run all rounds; False if SIGTERM or SIGINT ended it before, between two commits."""
    complete = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_on_signal, nursery.cancel_scope)
        await _run_rounds(recipe, endpoints, keys, name)
        complete = True
        nursery.cancel_scope.cancel()
    return complete


async def _run_rounds(
    recipe: Recipe, endpoints: Mapping[Pool, str], keys: Path | None, name: str
) -> None:
    expansions = recipe.search.in_flight * recipe.search.parallel
    window = expansions * max(recipe.search.candidates, recipe.evaluation.samples)
    async with (
        open_store(recipe.database_url) as store,
        domain_of(recipe) as domain,
        open_pools(endpoints, window=window, keys=keys) as pools,
        _membership(recipe, store, name) as membership,
        trio.open_nursery() as nursery,
    ):
        complete = trio.Event()
        tune_gc()
        runner = SearchRunner(pools, store, domain)
        driver = Driver(recipe, store, runner, SharedGPU.of(recipe), membership)
        nursery.start_soon(show_progress, recipe, store, driver.measuring, complete)
        async with trio.open_nursery() as watching:
            watching.start_soon(update_pool_metrics, pools)
            watching.start_soon(_record_activity, membership, pools, store, recipe.home_folder)
            await driver.run()
            watching.cancel_scope.cancel()
        complete.set()


@asynccontextmanager
async def _membership(recipe: Recipe, store: Store, name: str) -> AsyncIterator[Membership]:
    workers = recipe.workers
    if workers.coordinators == 1:
        yield Alone()
        return
    await store.commit(run_row(recipe))
    async with open_membership(store, recipe.name, name, workers.lease_seconds) as member:
        yield member


async def _record_activity(membership: Membership, pools: Pools, store: Store, home: Path) -> None:
    """One coordinator sees all workers, so the one that leads records them."""
    await membership.wait_until_leading()
    await record_activity(pools, store, home)


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return


def _endpoints(arguments: argparse.Namespace) -> dict[Pool, str]:
    if arguments.sockets:
        return {pool: clients_endpoint(arguments.sockets, pool) for pool in POOLS}
    given = dict(zip(POOLS, arguments.endpoints or (), strict=False))
    if len(given) != len(POOLS):
        raise SystemExit("give --sockets DIR, or --endpoints INFERENCE EXECUTOR REWARD")
    return given


def _own_name() -> str:
    """Tells coordinators apart that were started by hand, on any machine."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rstar_async.coordinator")
    parser.add_argument("--recipe", type=Path, required=True, help="resolved recipe, JSON")
    parser.add_argument("--sockets", type=Path, help="folder of the brokers' ipc sockets")
    parser.add_argument("--endpoints", nargs=3, help="clients' endpoints, one per pool")
    parser.add_argument("--keys", type=Path, help="folder with this process's CURVE keys")
    parser.add_argument("--name", help="its name among several; it takes over from a former one")
    parser.add_argument("--table", action="store_true", help="print the table of rounds at the end")
    process.add_options(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
