"""Upgrades a database to the tables of this version, and refuses one that it cannot read.

`versions/` has one file for each revision. Each runs in the transaction that records it, so a kill
leaves the database at the revision before or after, on both databases.
"""

import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from rstar_async.errors import BadInput
from storage import engines
from storage.errors import describe, is_locked

VERSION_TABLE = "rstar_schema"
_FOLDER = Path(__file__).parent
_POSTGRES_LOCK = 7_234_114_001  # any number, the same in all processes
_LOCKED_SECONDS = 30.0


def upgrade(location: str | sa.URL, *, must_exist: bool = False) -> bool:
    """Create the tables, or bring older ones up to date: whether anything had to be done.

    Safe while other processes do the same. `BadInput`, and no change, for a database that is not a
    store of rstar_async or is newer, and with `must_exist` also for an empty one.
    """
    url = engines.parse(location) if isinstance(location, str) else location
    name = engines.display(url)
    give_up = time.monotonic() + _LOCKED_SECONDS
    while True:
        try:
            if _is_current(url, name, must_exist):
                return False
            _upgrade_locked(url, name)
            return True
        except (sa.exc.DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
            if not is_locked(error) or time.monotonic() > give_up:
                raise BadInput(f"cannot open the store {name}: {describe(error)}") from error
            time.sleep(0.05)


def latest() -> str:
    """The revision that this code writes."""
    return _scripts().get_current_head() or ""


def _is_current(url: sa.URL, name: str, must_exist: bool) -> bool:
    missing = url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()
    if missing:
        revision = ""
    else:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            revision = _revision(connection, name)
    if must_exist and not revision:
        raise BadInput(f"there is no store at {name}")
    return revision == latest()


def _upgrade_locked(url: sa.URL, name: str) -> None:
    engine = engines.writer(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
                _check_encoding(connection, name)
            _revision(connection, name)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _check_encoding(connection: sa.Connection, name: str) -> None:
    encoding = connection.scalar(sa.text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise BadInput(f"the database {name} is encoded in {encoding}; create one in UTF8")


def _revision(connection: sa.Connection, name: str) -> str:
    """The database's revision, "" for an empty one; `BadInput` for any other."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    heads = context.get_current_heads()
    if not heads:
        if others := sa.inspect(connection).get_table_names():
            raise BadInput(
                f"{name} is not a store of rstar_async: it holds {', '.join(others[:3])}"
            )
        return ""
    known = {script.revision for script in _scripts().walk_revisions()}
    if unknown := [head for head in heads if head not in known]:
        raise BadInput(
            f"the store {name} was written by a newer rstar_async: its schema is {unknown[0]}, "
            f"this one knows up to {latest()}. Update rstar_async, or use another store"
        )
    return heads[0]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
