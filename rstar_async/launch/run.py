"""Runs on one machine, from the lock on the home folder to the end of the last process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trio

from rstar_async.config import Recipe
from rstar_async.launch.home import prepare_home, write_private
from rstar_async.launch.lock import RunLock
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, processes, processes_for
from rstar_async.launch.scrape_targets import scrape_targets
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder
from rstar_async.launch.supervisor import print_status, run_processes


def launch(recipe: Recipe, report: Callable[[str], None] = print_status) -> int:
    """Run the recipe to its end and return the exit code (see `supervisor`).

    Raises `BadInput` if the home is in use by another run or cannot be written. Safe to call again
    after any end: the processes find in the database what is left to do.
    """
    home = recipe.home_folder
    with RunLock(home) as lock, socket_folder(lock) as sockets:
        places = Places(home, recipe.models_folder, LocalSockets(sockets), prepare_home(recipe))
        specs = processes(recipe, places)
        with scrape_targets(specs, home):
            return trio.run(lambda: run_processes(specs, places.logs, report=report))


def launch_client(
    client: str,
    recipe: Recipe,
    home: Path,
    request: msgspec.Struct,
    report: Callable[[str], None] = print_status,
) -> int:
    """Start brokers, workers and the module `client`, which carries out `request`.

    Lock, logs and dead letters are in `home`, not in the home of the recipe's run, which may be
    going on elsewhere.
    """
    with RunLock(home) as lock, socket_folder(lock) as sockets:
        file = write_private(home / "request.json", request)
        places = Places(home, recipe.models_folder, LocalSockets(sockets), file)
        specs = processes_for(client, recipe, places, file)
        return trio.run(lambda: run_processes(specs, places.logs, report=report))


@contextmanager
def socket_folder(lock: RunLock) -> Iterator[Path]:
    """A new folder for sockets, removed at the end; the lock's next holder removes it if we die."""
    folder = make_socket_folder()
    lock.note_sockets(folder)
    try:
        yield folder
    finally:
        remove_socket_folder(folder)
