"""From a URL to SQLAlchemy engines that behave alike on both databases.

On both, a commit that returned was forced to the disk and survives kill -9 and a power cut. The
writer commits many requests in one transaction, so a slow disk costs latency, not throughput.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown, without_surrogates

_PRAGMAS = (
    "busy_timeout = 1000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "journal_size_limit = 67108864",
)
_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def parse(location: str) -> sa.URL:
    """`sqlite:///path`, `postgresql://…`, or a bare path, which means SQLite."""
    if "://" not in location:
        return sa.URL.create("sqlite", database=_checked_path(location))
    try:
        url = make_url(location.replace("postgres://", "postgresql://", 1))
    except (sa.exc.ArgumentError, ValueError):
        raise BadInput(f"the store {location!r} is not a database URL") from None
    if url.get_backend_name() == "sqlite":
        if url.query:
            raise BadInput(f"the store {location!r} has a '?': give the path of the file instead")
        return sa.URL.create("sqlite", database=_checked_path(url.database or ""))
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise BadInput(f"the store {display(url)!r} is neither SQLite nor PostgreSQL")


def _checked_path(text: str) -> str:
    if text in {"", ":memory:"}:
        raise BadInput("the store must be a file: several processes share it")
    if "\0" in text or without_surrogates(text) != text:
        raise BadInput(f"the store {shown(text)} has a name that is not UTF-8 text")
    path = _expanded(Path(text)).absolute()
    if not path.parent.is_dir():
        raise BadInput(f"the folder {str(path.parent)!r} of the store {path.name!r} does not exist")
    return str(path)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no user of that name
        return path


def display(url: sa.URL) -> str:
    """How messages name the store: a path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def writer(url: sa.URL) -> sa.Engine:
    """One connection; takes SQLite's write lock at BEGIN, so that it cannot fail half way."""
    return _engine(url, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)


def reader(url: sa.URL, connections: int) -> sa.Engine:
    """Read-only connections; a transaction reads one snapshot, however long it takes."""
    if url.get_backend_name() == "sqlite":
        return _engine(url, begin="BEGIN", pool_size=connections, pragma="query_only = ON")
    engine = _engine(url, pool_size=connections, isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


def _engine(url: sa.URL, *, begin: str = "", pragma: str = "", **options: Any) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_pre_ping=True, connect_args=_KEEPALIVE, **options)
    engine = sa.create_engine(url, poolclass=sa.QueuePool, **options)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = (
            None  # `start` sends BEGIN; the driver would do so only at the first write
        )
        for setting in (*_PRAGMAS, pragma) if pragma else _PRAGMAS:
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
