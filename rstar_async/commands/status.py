"""`rstar status`: queues, leases and workers of a running system, as its brokers see them."""

import argparse
import sys
from pathlib import Path

ANSWER_SECONDS = 5.0
REFRESH_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("home", nargs="?", type=Path, help="folder of a run, e.g. runs/demo")
    parser.add_argument(
        "--endpoints", nargs="+", metavar="ENDPOINT", help="or clients' endpoints of brokers"
    )
    parser.add_argument("--keys", type=Path, help="this client's CURVE keys")
    parser.add_argument("--once", action="store_true", help="print once; in a pipe it does anyway")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Show a live table until Ctrl-C; or ask every broker once: 1 if one did not answer."""
    import msgspec
    import trio

    from rstar_async.commands.output import print_table
    from rstar_async.commands.status_table import status_table
    from rstar_async.commands.status_watch import ask_once, show_live

    endpoints = _endpoints(arguments.home, arguments.endpoints)
    if sys.stdout.isatty() and not (arguments.once or arguments.json):
        trio.run(show_live, endpoints, arguments.keys, REFRESH_SECONDS)
        return 0
    answers = trio.run(ask_once, endpoints, arguments.keys, ANSWER_SECONDS)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(answers)).decode())
    else:
        print_table(status_table(answers))
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
