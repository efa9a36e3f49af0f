"""The database without an event loop: for the trainer, for the command line, and under `Store`.

`commit` returns after the durable commit of all its records and waits while the database is
unavailable: a commit that returned is stored, and no commit is stored in part.
"""

import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from rstar_async.errors import BadInput
from storage import engines, leases, migrations, statements
from storage.errors import BadRecord, LostLease, Unavailable, describe, is_corrupt, transient_reason
from storage.records import Record
from storage.retry import RetryPolicy
from storage.sums import keeping

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def open_database(
    location: str, *, must_exist: bool = False, readers: int = 4
) -> Iterator["Database"]:
    """The store at `location` (see `engines.parse`), created or upgraded first.

    `BadInput` if it is not a store of rstar_async, a newer one, or missing with `must_exist`.
    """
    url = engines.parse(location)
    upgraded = migrations.upgrade(url, must_exist=must_exist)
    database = Database(url, readers)
    try:
        if upgraded:
            keeping.keep_missing(database)
        yield database
    finally:
        database.close()


class Database:
    """Blocks the calling thread. One thread may write while up to `readers` threads read."""

    def __init__(self, url: sa.URL, readers: int) -> None:
        self.name = engines.display(url)
        self._file = url.database if url.get_backend_name() == "sqlite" else None
        self._file_id = self._current_file_id()
        self._writer = engines.writer(url)
        self._reader = engines.reader(url, readers)
        self._coordinator: int | None = None

    def commit_as(self, coordinator: int) -> None:
        """From now on, store records only while this coordinator takes part in its run: see
        `leases`. Once it was removed, commits raise `LostLease`."""
        self._coordinator = coordinator

    def commit(self, *records: Record) -> None:
        """Store all `records` or none, durably. Waits while the database is unavailable.

        `BadRecord` if one of them cannot be stored. Harmless to repeat.
        """
        (failure,) = self._with_retries(lambda: self.write([records]))
        if failure:
            raise failure

    def read(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `query(connection, …)` on one snapshot. Waits while unavailable."""
        return self._with_retries(lambda: self.read_once(query, *args, **kwargs))

    def write(self, batch: Sequence[Sequence[Record]]) -> list[BadRecord | None]:
        """Store several commits in one transaction; returns the error of each, or None.

        A bad commit does not affect the others. Raises `Unavailable` if the database is: then any
        of them may or may not be stored, and the whole batch can be written again; and `LostLease`,
        with none of them stored (`commit_as`).
        """
        try:
            self._transact(itertools.chain.from_iterable(batch))
        except BadRecord as failure:
            if len(batch) == 1:
                return [failure.in_commit_of(batch[0])]
            return [failure for records in batch for failure in self.write([records])]
        return [None] * len(batch)

    def read_once(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `read`, but raises `Unavailable` instead of waiting."""
        try:
            with self._reader.begin() as connection:
                return query(connection, *args, **kwargs)
        except Exception as error:
            if reason := transient_reason(error, reading=True):
                raise Unavailable(reason) from error
            raise self._explained(error) from error

    def change(
        self, action: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `action(connection, …)` in one write transaction: for maintenance and leases.

        Waits while the database is unavailable; `action` may run again, so it must be idempotent.
        """
        return self._with_retries(lambda: self.change_once(action, *args, **kwargs))

    def change_once(
        self, action: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `change`, but raises `Unavailable` instead of waiting."""
        if self._current_file_id() != self._file_id:
            raise Unavailable("the file was moved, deleted or replaced")
        try:
            with self._writer.begin() as connection:
                return action(connection, *args, **kwargs)
        except Exception as error:
            if reason := transient_reason(error):
                raise Unavailable(reason) from error
            raise self._explained(error) from error

    def shrink(self) -> None:
        """Return unused pages of a SQLite file to the disk; PostgreSQL does so by itself.

        Needs as much free disk as the store keeps, and no other writer.
        """
        if self._file is None:
            return
        with self._writer.connect() as connection:
            driver: Any = (
                connection.connection.dbapi_connection
            )  # VACUUM runs outside of transactions
            try:
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise BadInput(f"cannot shrink {self.name}: {describe(error)}") from error

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def _transact(self, records: Iterable[Record]) -> None:
        try:
            self.change_once(self._store, records)
        except (Unavailable, BadInput, LostLease):
            raise
        except Exception as error:
            raise BadRecord(describe(error)) from error

    def _store(self, connection: sa.Connection, records: Iterable[Record]) -> None:
        if self._coordinator is not None:
            leases.check(connection, self._coordinator)
        statements.store(connection, records)

    def _explained(self, error: Exception) -> Exception:
        """The error, or for a corrupt file a `BadInput` that says what to do."""
        if not is_corrupt(error):
            return error
        return BadInput(
            f"the store {self.name} is damaged ({describe(error)}): `rstar db check` says where; "
            "restore a copy"
        )

    def _current_file_id(self) -> tuple[int, int] | None:
        """Which file has the store's name now: SQLite would go on writing to a deleted one."""
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return (0, 0)
        return (found.st_dev, found.st_ino)

    def _with_retries(self, attempt: Callable[[], T]) -> T:
        retry = RetryPolicy(self.name)
        while True:
            try:
                result = attempt()
            except Unavailable as error:
                time.sleep(retry.delay_after(error))
            else:
                retry.succeeded()
                return result
