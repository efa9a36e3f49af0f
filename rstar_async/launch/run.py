"""`launch(recipe)`: one run on one machine, from the lock on its home to the last process gone."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trio

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.launch.lock import RunLock
from rstar_async.launch.processes import Places, ProcessSpec, processes, processes_for
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder
from rstar_async.launch.supervisor import run_processes, say_on_stderr

NAME = "metrics.json"


class Target(msgspec.Struct, frozen=True):
    """One entry of the file: addresses, and the labels that their metrics get."""

    targets: list[str]
    labels: dict[str, str]


@contextmanager
def scrape_targets(specs: Sequence[ProcessSpec], home: Path) -> Iterator[None]:
    """Keep `HOME/metrics.json` while the block lasts; there is none if nobody serves metrics."""
    file = home / NAME
    targets = [
        Target([f"127.0.0.1:{spec.metrics_port}"], {"process": spec.name})
        for spec in specs
        if spec.metrics_port
    ]
    if targets:
        draft = file.with_suffix(".draft")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(targets)))
        draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def launch(recipe: Recipe, say: Callable[[str], None] = say_on_stderr) -> int:
    """Run the recipe to its end and return the exit code (see `supervisor`).

    Raises `BadInput` if the home is in use by another run or cannot be written. Safe to call again
    after any end: the processes find in the database what is left to do.
    """
    home = recipe.home_folder
    with RunLock(home) as lock, _sockets(lock) as sockets:
        places = Places(home, recipe.models_folder, sockets, lay_out(recipe))
        specs = processes(recipe, places)
        with scrape_targets(specs, home):
            return trio.run(lambda: run_processes(specs, places.logs, say=say))


def launch_client(
    client: str,
    recipe: Recipe,
    home: Path,
    request: msgspec.Struct,
    say: Callable[[str], None] = say_on_stderr,
) -> int:
    """Start brokers, workers and the module `client`, which does what `request` asks for.

    Its locks, logs and letters are in `home`, which a run may own that goes on elsewhere.
    """
    with RunLock(home) as lock, _sockets(lock) as sockets:
        file = _write(home / "request.json", request)
        places = Places(home, recipe.models_folder, sockets, file)
        specs = processes_for(client, recipe, places, file)
        return trio.run(lambda: run_processes(specs, places.logs, say=say))


@contextmanager
def _sockets(lock: RunLock) -> Iterator[Path]:
    folder = make_socket_folder()
    lock.note_sockets(folder)
    try:
        yield folder
    finally:
        remove_socket_folder(folder)


def lay_out(recipe: Recipe) -> Path:
    """Make the run's folders and write the resolved recipe; return its path."""
    path = _write(recipe.home_folder / "recipe.json", recipe)
    try:
        recipe.models_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make {recipe.models_folder}: {error.strerror}") from None
    return path


def _write(path: Path, content: msgspec.Struct) -> Path:
    """Write it whole or not at all, for this user only: a database's URL may hold a password."""
    draft = path.with_suffix(".draft")
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None
    return path
