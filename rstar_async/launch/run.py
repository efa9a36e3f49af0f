"""`launch(recipe)`: one run on one machine, from the lock on its home to the last process gone."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import trio

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.launch.lock import RunLock
from rstar_async.launch.processes import Places, processes
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder
from rstar_async.launch.supervisor import run_processes, say_on_stderr


def launch(recipe: Recipe, say: Callable[[str], None] = say_on_stderr) -> int:
    """Run the recipe to its end and return the exit code (see `supervisor`).

    Raises `BadInput` if the home is in use by another run or cannot be written. Safe to call again
    after any end: the processes find in the database what is left to do.
    """
    home = recipe.home_folder
    with RunLock(home) as lock:
        sockets = make_socket_folder()
        lock.note_sockets(sockets)
        try:
            places = Places(home, recipe.models_folder, sockets, lay_out(recipe))
            specs = processes(recipe, places)
            return trio.run(lambda: run_processes(specs, places.logs, say=say))
        finally:
            remove_socket_folder(sockets)


def lay_out(recipe: Recipe) -> Path:
    """Make the run's folders and write the resolved recipe; return its path.

    The file is for this user only: the database's URL may hold a password.
    """
    path = recipe.home_folder / "recipe.json"
    draft = path.with_suffix(".draft")
    text = msgspec.json.format(msgspec.json.encode(recipe), indent=2)
    try:
        recipe.models_folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None
    return path
