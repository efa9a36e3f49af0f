"""`rstar view`: a local web page over a store; it writes nothing and sends nothing away."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from starlette.types import ASGIApp

    from rstar_async.view.access import Access

PORT = 8700


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place",
        nargs="?",
        help="folder of a run or of runs, SQLite file or database URL [the newest run]",
    )
    parser.add_argument("--home", type=Path, help="the run's folder, if PLACE is a database")
    parser.add_argument("--notices", type=Path, help="folder where brokers leave how they are")
    parser.add_argument(
        "--port", type=whole(0, 65535), default=PORT, help="0 takes a free one [%(default)s]"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    parser.add_argument("--token", help="who knows it may look; made up beyond 127.0.0.1")
    parser.add_argument(
        "--name", action="append", default=[], help="another host name the page is reached by"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if arguments.place is not None and is_folder_of_runs(Path(arguments.place)):
        _view_folder(arguments, Path(arguments.place))
    else:
        _view_run(arguments)
    return 0


def _view_run(arguments: argparse.Namespace) -> None:
    from rstar_async.view.app import build_app
    from rstar_async.view.pools import PoolMonitor
    from storage.database import open_database

    url, found = locate(arguments.place)
    watch = PoolMonitor(_folder(arguments.home) or found, _folder(arguments.notices))
    with open_database(url, must_exist=True, readers=8) as database:
        _publish(arguments, database.name, lambda access: build_app(database, watch, access))


def _view_folder(arguments: argparse.Namespace, folder: Path) -> None:
    from rstar_async.cli.locate import database_url
    from rstar_async.view.folder_app import build_folder_app
    from rstar_async.view.run_folders import RunFolders

    if arguments.home or arguments.notices:
        raise BadInput("--home and --notices are of one run; name its folder or database")
    runs = RunFolders(folder, database_url)
    try:
        shown = f"{folder}: {len(runs.names())} runs"
        _publish(arguments, shown, lambda access: build_folder_app(runs, access))
    finally:
        runs.close()


def is_folder_of_runs(folder: Path) -> bool:
    """Whether it is no run itself but has runs in it."""
    from rstar_async.launch.run_folders import is_run, runs_in

    return not is_run(folder) and bool(runs_in(folder))


def _publish(
    arguments: argparse.Namespace, title: str, build: "Callable[[Access], ASGIApp]"
) -> None:
    """Bind, print where the page is, and serve it."""
    from rstar_async.view.access import access_for
    from rstar_async.view.server import address, bind, choose_token

    token = choose_token(arguments.host, arguments.token)
    listening = bind(arguments.host, arguments.port)
    port: int = listening.getsockname()[1]
    access = access_for(arguments.host, port, token, tuple(arguments.name))
    print(f"{title}\n{address(arguments.host, port, token)}", flush=True)
    _serve(listening, build(access))


def locate(place: str | None) -> tuple[str, Path | None]:
    """The database, and the run's folder if that was given: its recipe may name a server."""
    from rstar_async.cli.locate import database_url, is_url

    home = _newest_run() if place is None else Path(place)
    if place is not None and is_url(place):
        return place, None
    if not home.is_dir():
        return database_url(str(home)), None
    return database_url(str(home)), home


def _folder(given: Path | None) -> Path | None:
    if given is not None and not given.is_dir():
        raise BadInput(f"there is no folder {given}")
    return given


def _newest_run() -> Path:
    found = sorted(Path("runs").glob("*/run.lock"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise BadInput("there is no run in ./runs; say which folder or database to view")
    return found[-1].parent


def _serve(listening: "socket", app: "ASGIApp") -> None:
    """Ctrl-C and SIGTERM end it, quietly."""
    import signal

    import trio

    from rstar_async.view.server import serve_on

    async def stopped() -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return

    async def main() -> None:
        await serve_on(listening, app, until=stopped)

    trio.run(main)
