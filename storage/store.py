"""The store under trio: one writer thread, many committing tasks, and concurrent reads.

Each task waits for its own durable commit. Commits that arrive while the writer is busy share its
next transaction, so the load sets the batch size and an idle store answers at once. The queue is
bounded: a slow disk slows the search and does not fill the memory.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import msgspec
import sqlalchemy as sa
import trio

from rstar_async.errors import RstarError
from storage import engines, migrations
from storage.database import Database
from storage.errors import Unavailable
from storage.records import Record
from storage.retry import RetryPolicy
from storage.sums import keeping

P = ParamSpec("P")
T = TypeVar("T")

RECORDS_PER_TRANSACTION = 256
WAITING_COMMITS = 1024


class Statistics(msgspec.Struct, frozen=True):
    """`waiting` commits are not durable yet, `queued` of them not begun; `waiting_for` says why the
    database is unavailable now, "" if it is available."""

    waiting: int
    queued: int
    commits: int
    records: int
    transactions: int
    waiting_for: str


class _Commit:
    """One call of `commit`, from the queue to its acknowledgement."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.settled = trio.Event()
        self.failure: RstarError | None = None

    def settle(self, failure: RstarError | None) -> None:
        self.failure = failure
        self.settled.set()


@asynccontextmanager
async def open_store(
    location: str, *, must_exist: bool = False, readers: int = 4
) -> AsyncIterator["Store"]:
    """The store at `location`, created or upgraded first; see `database.open_database`.

    Leaving the block waits for every commit that was accepted, but not if an exception leaves it.
    """
    url = await trio.to_thread.run_sync(engines.parse, location)
    upgraded = await trio.to_thread.run_sync(
        partial(migrations.upgrade, url, must_exist=must_exist)
    )
    database = Database(url, readers)
    if upgraded:
        await trio.to_thread.run_sync(keeping.keep_missing, database)
    store = Store(database, readers)
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store._write_all)
            try:
                yield store
            except Exception as error:
                failure = error  # raised outside of the nursery, which would wrap it in a group
                nursery.cancel_scope.cancel()
            store._queue.close()
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(store._database.close)
    if failure:
        raise failure


class Store:
    """Made by `open_store`; may be shared by any number of tasks."""

    def __init__(self, database: Database, readers: int) -> None:
        self._database = database
        self._queue, self._received = trio.open_memory_channel[_Commit](WAITING_COMMITS)
        self._one_writer = trio.CapacityLimiter(1)
        self._readers = trio.CapacityLimiter(readers)
        self._writing = RetryPolicy(database.name)
        self._reading = RetryPolicy(database.name)
        self._waiting = self._commits = self._records = self._transactions = 0

    async def commit(self, *records: Record) -> None:
        """Store all `records` in one transaction; returns when that is durable.

        Records that exist already are skipped and changes have absolute values, so a commit can be
        repeated. Waits while the disk is full or the database unavailable. `BadRecord` if a record
        can never be stored; then none was. If cancelled, all records were stored or none.
        """
        request = _Commit(records)
        self._waiting += 1
        try:
            await self._queue.send(request)
            await request.settled.wait()
        finally:
            self._waiting -= 1
        if request.failure:
            raise request.failure

    async def read(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `query(connection, …)` on one snapshot, run in a reader thread.

        Sees every commit that returned before. Waits while the database is unavailable.
        """
        attempt = partial(self._database.read_once, query, *args, **kwargs)
        return await _with_retries(attempt, self._reading, self._readers)

    async def change(
        self, action: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `action(connection, …)` in a write transaction of its own, between those of
        the commits. Waits while the database is unavailable; `action` may run again."""
        attempt = partial(self._database.change_once, action, *args, **kwargs)
        return await _with_retries(attempt, self._writing, self._one_writer)

    def commit_as(self, coordinator: int) -> None:
        """Store only while this coordinator takes part in its run. Once another has removed it, the
        block of `open_store` is cancelled and raises `LostLease`, in a group."""
        self._database.commit_as(coordinator)

    def statistics(self) -> Statistics:
        return Statistics(
            waiting=self._waiting,
            queued=self._queue.statistics().current_buffer_used,
            commits=self._commits,
            records=self._records,
            transactions=self._transactions,
            waiting_for=self._writing.reason or self._reading.reason,
        )

    async def _write_all(self) -> None:
        batch: list[_Commit] = []
        try:
            async for first in self._received:
                batch = self._gather(first)
                await self._write(batch)
        finally:
            self._refuse(batch)

    async def _write(self, batch: list[_Commit]) -> None:
        attempt = partial(self._database.write, [commit.records for commit in batch])
        failures = await _with_retries(attempt, self._writing, self._one_writer)
        self._count(batch)
        for commit, failure in zip(batch, failures, strict=True):
            commit.settle(failure)

    def _refuse(self, batch: list[_Commit]) -> None:
        """Fail all commits that the writer, which has ended, will not store."""
        closed = Unavailable("the store was closed before this was stored")
        unsettled = [commit for commit in batch if not commit.settled.is_set()]
        for commit in itertools.chain(unsettled, iter(self._next_waiting, None)):
            commit.settle(closed)

    def _gather(self, first: _Commit) -> list[_Commit]:
        """`first` and the commits queued behind it, up to one transaction."""
        batch, size = [first], len(first.records)
        while size < RECORDS_PER_TRANSACTION and (commit := self._next_waiting()):
            batch.append(commit)
            size += len(commit.records)
        return batch

    def _next_waiting(self) -> _Commit | None:
        try:
            return self._received.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return None

    def _count(self, batch: list[_Commit]) -> None:
        self._transactions += 1
        self._commits += len(batch)
        self._records += sum(len(commit.records) for commit in batch)


async def _with_retries(
    attempt: Callable[[], T], retry: RetryPolicy, limiter: trio.CapacityLimiter
) -> T:
    """Repeat `attempt` in a thread until the database is available. A cancel waits for the thread,
    so that no transaction stays open."""
    while True:
        try:
            result = await trio.to_thread.run_sync(attempt, limiter=limiter)
        except Unavailable as error:
            await trio.sleep(retry.delay_after(error))
        else:
            retry.succeeded()
            return result
