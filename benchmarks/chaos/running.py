"""What of a run is there now: its processes by name, and whether it has begun to search."""

import os
from collections.abc import Sequence
from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.launch.linux import children
from rstar_async.launch.processes import ProcessSpec
from storage import queries
from storage.database import open_database
from storage.errors import Unavailable


def running(specs: Sequence[ProcessSpec]) -> dict[str, int]:
    """Process ids by name. They stay valid until the next checkpoint: none is reaped before."""
    commands = {_words(child.pid): child.pid for child in children(os.getpid())}
    return {spec.name: commands[spec.argv] for spec in specs if spec.argv in commands}


def is_searching(recipe: Recipe) -> bool:
    """True once the run has stored a node."""
    try:
        with open_database(recipe.database_url, must_exist=True, readers=1) as database:
            return database.read_once(queries.progress, recipe.name, 1, "train").nodes > 0
    except (BadInput, Unavailable):  # not there yet, or without tables
        return False


def _words(pid: int) -> tuple[str, ...]:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in line.split(b"\0")[:-1])
