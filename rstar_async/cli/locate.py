"""Finds a database and a run from what a user types."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.errors import BadInput
from rstar_async.launch.run_folders import RECIPE, STORE, is_run, why_no_run

if TYPE_CHECKING:
    from storage.database import Database

SQLITE = b"SQLite format 3\0"


def database_url(text: str) -> str:
    """Return the URL of a database given as URL, SQLite file or folder of a run, or the path of its
    SQLite file."""
    if is_url(text):
        return text
    path = Path(text)
    if path.is_dir():
        return _database_of_folder(path)
    if not path.is_file():
        raise BadInput(why_no_run(path))
    if not _is_sqlite(path):
        raise BadInput(f"{path} is no SQLite database; name the folder of a run, or its rstar.db")
    return str(path.absolute())


def _database_of_folder(home: Path) -> str:
    """The database that the run's recipe names, else the file in its folder."""
    if named := _database_of_recipe(home):
        return named
    file = home / STORE
    if file.is_file():
        return str(file.absolute())
    if is_run(home):
        raise BadInput(f"the run in {home} has stored nothing yet: there is no {file}")
    raise BadInput(why_no_run(home))


def _is_sqlite(file: Path) -> bool:
    """An empty file is one without tables. A file that this process has open is SQLite's, and must
    not be opened beside it: closing it would release all locks of the process, and another process
    would then delete the journal under its hands (sqlite.org/howtocorrupt.html, 2.2)."""
    if _is_open_here(file):
        return True
    with open(file, "rb") as stream:
        return stream.read(len(SQLITE)) in (SQLITE, b"")


def _is_open_here(file: Path) -> bool:
    found = file.stat()
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself is closed by now
            if os.path.samestat(os.fstat(int(descriptor)), found):
                return True
    return False


@contextmanager
def open_existing(place: str) -> "Iterator[Database]":
    """The store that a user names. An error inside the block that only damage explains is told as
    `BadInput`: the store is checked, and if a rule is broken, that is named."""
    from rstar_async.errors import RstarError
    from storage.database import open_database

    with open_database(database_url(place), must_exist=True) as database:
        try:
            yield database
        except (RstarError, OSError):
            raise
        except Exception as error:
            if damage := _damage(database):
                raise BadInput(f"{damage}; `rstar db check` says more") from error
            raise


def _damage(database: "Database") -> str:
    """What is wrong with the store, "" if it is sound."""
    from storage.maintenance.integrity import check

    for finding in database.read(check):
        if finding.offenders:
            example = ", ".join(finding.examples[:1])
            return f"the store {database.name} is damaged: not true that {finding.rule} ({example})"
    return ""


def home_of(place: str, database: "Database", name: str) -> Path:
    """The folder of the run `name`: the one that was named, that of the named SQLite file, else the
    one that the run was started with."""
    from storage import queries

    path = Path(place)
    if path.is_dir():
        return path
    if path.is_file():
        return path.parent
    run = database.read(queries.run_by_id, name)
    home = run.recipe.get("home", "") if run else ""
    return Path(str(home).replace("{name}", name))


def is_url(text: str) -> bool:
    """Whether it names a database by URL; a folder's name may hold the same characters."""
    return "://" in text and not Path(text).exists()


def _database_of_recipe(home: Path) -> str:
    from rstar_async.sanitize import from_json

    try:
        recipe = from_json((home / RECIPE).read_bytes())
    except (OSError, ValueError):
        return ""
    named = recipe.get("database") if isinstance(recipe, dict) else ""
    return named if isinstance(named, str) else ""


def choose_run(database: "Database", wanted: str | None) -> str:
    """Return the wanted run, or the only one; `BadInput` lists what the database holds."""
    from storage import queries

    names = [run.id for run in database.read(queries.runs)]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    have = ", ".join(names) or "none"
    raise BadInput(f"which run? the database holds: {have}")
