"""Which database errors are transient, and which are permanent."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from rstar_async.errors import RstarError
from storage.column_types import Unreadable

_SQLITE_TRANSIENT = {
    sqlite3.SQLITE_BUSY: "another process holds the lock",
    sqlite3.SQLITE_LOCKED: "another connection holds the lock",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not take the data (full, over quota or broken)",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_READONLY: "the file cannot be written",
    sqlite3.SQLITE_PROTOCOL: "the file cannot be locked",
    sqlite3.SQLITE_NOMEM: "memory is full",
}

# Classes of SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_TRANSIENT = {
    "08": "the connection is lost",
    "25": "the server takes no writes",
    "40": "another transaction conflicted",
    "53": "the server has no disk space, memory or connections left",
    "55": "an object is locked",
    "57": "the server is stopping or starting",
    "58": "the server's disk failed",
}
_READ_ONLY_TRANSACTION = "25006"

# What SQLite says without a code of its own: a text that is none, a table without its columns.
_DAMAGE = ("Could not decode to UTF-8", "no such column", "no such table", "malformed")


class BadRecord(RstarError):
    """A record that can never be stored. Nothing of its commit was stored."""

    def in_commit_of(self, records: Sequence[object]) -> "BadRecord":
        """The same error with the types that were committed, since SQLite does not name them."""
        kinds = ", ".join(sorted({type(record).__name__ for record in records}))
        failure = BadRecord(f"{self} (in a commit of {kinds})")
        failure.__cause__ = self.__cause__
        return failure


class Unavailable(RstarError):
    """The database cannot be used now; the same request may succeed later."""


class LostLease(RstarError):
    """Another coordinator has taken over; nothing that this one writes is stored any more."""


def transient_reason(error: BaseException, *, reading: bool = False) -> str:
    """Why `error` may not occur again on a retry; "" if it is permanent.

    A read-only database is transient for a writer; a reader that gets this error tried to write.
    """
    cause: Any = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        reason = _sqlite_reason(_sqlite_code(cause), reading)
    elif isinstance(error, sa.exc.DBAPIError):
        lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
        reason = _postgres_reason(getattr(cause, "sqlstate", None), reading, lost)
    else:
        reason = ""
    return reason and f"{reason} ({_first_line(cause)})"


def is_corrupt(error: BaseException) -> bool:
    """Whether the SQLite file is corrupt or not a database, or holds values that cannot be."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, Unreadable | UnicodeDecodeError):
        return True
    if isinstance(cause, sqlite3.OperationalError) and str(cause).startswith(_DAMAGE):
        return True
    return _sqlite_code(cause) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_locked(error: BaseException) -> bool:
    """Whether another connection holds the lock of the SQLite file."""
    cause = getattr(error, "orig", None) or error
    return _sqlite_code(cause) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _sqlite_code(cause: BaseException) -> int:
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def _sqlite_reason(code: int, reading: bool) -> str:
    if reading and code == sqlite3.SQLITE_READONLY:
        return ""
    return _SQLITE_TRANSIENT.get(code, "")


def _postgres_reason(state: str | None, reading: bool, lost: bool) -> str:
    if state is None:
        return "the server cannot be reached" if lost else ""
    if reading and state == _READ_ONLY_TRANSACTION:
        return ""
    return _POSTGRES_TRANSIENT.get(state[:2], "")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def describe(error: BaseException) -> str:
    """One line that names the cause of a permanent failure."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {_first_line(cause)}"
