"""`rstar status`: queues, leases and workers of a running system, as its brokers see them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from rstar_async.wire.messages import Status

ANSWER_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("home", nargs="?", type=Path, help="folder of a run, e.g. runs/demo")
    parser.add_argument(
        "--endpoints", nargs="+", metavar="ENDPOINT", help="or clients' endpoints of brokers"
    )
    parser.add_argument("--keys", type=Path, help="this client's CURVE keys")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Ask every broker once; 1 if one did not answer."""
    import msgspec
    import trio

    from rstar_async.commands.output import print_table

    endpoints = _endpoints(arguments.home, arguments.endpoints)
    answers = trio.run(_ask_all, endpoints, arguments.keys)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(answers)).decode())
    else:
        print_table(_table(answers))
    return 0 if all(answers.values()) else 1


def _endpoints(home: Path | None, given: list[str] | None) -> list[str]:
    from rstar_async.errors import BadInput
    from rstar_async.launch.lock import running_holder
    from rstar_async.launch.sockets import clients_endpoint
    from rstar_async.wire.payloads import POOLS

    if given:
        return given
    if home is None:
        raise BadInput("give the folder of a run, or --endpoints")
    sockets = Path(running_holder(home).sockets)
    return [clients_endpoint(sockets, pool) for pool in POOLS]


async def _ask_all(endpoints: list[str], keys: Path | None) -> "dict[str, Status | None]":
    import trio

    answers: dict[str, Status | None] = {}

    async def ask(endpoint: str) -> None:
        answers[endpoint] = await _ask(endpoint, keys)

    async with trio.open_nursery() as nursery:
        for endpoint in endpoints:
            nursery.start_soon(ask, endpoint)
    return {endpoint: answers[endpoint] for endpoint in endpoints}


async def _ask(endpoint: str, keys: Path | None) -> "Status | None":
    import trio

    from rstar_async.wire.pool import open_pool

    with trio.move_on_after(ANSWER_SECONDS):
        async with open_pool(endpoint, name="status", keys=keys) as pool:
            return await pool.status()
    return None


def _table(answers: "Mapping[str, Status | None]") -> "Table":
    from rich.table import Table

    columns = ("workers", "capacity", "queued", "leased", "finished", "deaths", "redelivered")
    table = Table("pool", *columns, "duplicates", title="brokers", title_justify="left")
    for endpoint, status in answers.items():
        table.add_row(*_cells(status)) if status else table.add_row(f"{endpoint}: no answer")
    return table


def _cells(status: "Status") -> list[str]:
    counters = status.counters
    numbers = (
        len(status.workers),
        sum(worker.capacity for worker in status.workers),
        status.queued,
        status.leased,
        counters.finished,
        counters.deaths,
        counters.redelivered,
        counters.duplicates,
    )
    return [status.pool, *map(str, numbers)]
