"""The client side of a pool: `await pool.ask(job, body)` returns the answer, once.

Guarantees. An `ask` returns the job's result or raises `JobFailed`; dying workers and restarted
brokers only make it slower, and so do results that are no answers: those are done again elsewhere.
If an `ask` is cancelled, the broker is told at once. At most `window`
jobs are with the broker, fewer if it accepts fewer from one client; further asks wait here. Two
asks of a job share its answer.
"""

import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import trio

from rstar_async.errors import BadInput, JobFailed
from rstar_async.wire.acknowledgements import Acknowledgements
from rstar_async.wire.calls import (
    MOST_REFUSALS,
    Answer,
    Call,
    Fault,
    Read,
    Statistics,
    reader,
)
from rstar_async.wire.codec import decode_to_client
from rstar_async.wire.connection import Connection
from rstar_async.wire.exception_groups import single
from rstar_async.wire.keys import load_peer_keys
from rstar_async.wire.messages import (
    MAX_JOBS,
    PROTOCOL,
    Accepted,
    Cancel,
    ClientBeat,
    ClientBye,
    ClientHello,
    Failed,
    Finished,
    Got,
    JobId,
    Status,
    StatusAsk,
    Submit,
    ToClientMessage,
    Welcome,
)
from rstar_async.wire.sizes import BODY_BYTES
from rstar_async.wire.socket import open_peer

log = logging.getLogger(__name__)

RESEND_TICK_SECONDS = 0.5
STATUS_RETRY_SECONDS = 1.0

T = TypeVar("T")


class PoolClient:
    """A pool of workers behind one broker. Made by `open_pool`."""

    def __init__(self, endpoint: str, *, name: str, window: int, keys: Path | None) -> None:
        if not 1 <= window <= MAX_JOBS:
            raise BadInput(f"a window of {window} jobs is not between 1 and {MAX_JOBS}")
        peer_keys = load_peer_keys(keys) if keys is not None else None
        self._name = peer_keys.qualify(name) if peer_keys is not None else name
        self._session = secrets.token_bytes(8)
        self._pool = ""
        self._max_window, self._window = window, trio.CapacityLimiter(window)
        self._calls: dict[JobId, Call] = {}
        self._unaccepted: dict[JobId, Call] = {}
        self._acknowledgements = Acknowledgements()
        self._statistics = Statistics()
        self._statuses: dict[int, Status | None] = {}
        self._status_came = trio.Event()
        self._connection: Connection[ToClientMessage] = Connection(
            endpoint,
            self,
            lambda: open_peer(endpoint, queue=4 * window, keys=peer_keys),
            decode_to_client,
            self._acknowledgements.take,
        )

    async def ask(
        self,
        job: JobId,
        body: bytes,
        *,
        group: str = "",
        affinity: str = "",
        priority: int = 0,
        deadline: float = 600.0,
        read: Read = bytes,
    ) -> Answer:
        """Submit the job and return its answer; raises `JobFailed`.

        `priority`: higher goes first. `affinity`: jobs with the same one go to the same worker if
        it has room; "" means that of the group. `deadline`: seconds one run may take. `read`: makes
        the answer's value of its body; a result that it refuses is done again by another worker.
        """
        if len(body) > BODY_BYTES:
            raise JobFailed("error", f"a body of {len(body)} bytes exceeds {BODY_BYTES}")
        call = self._calls.get(job)
        if call is None:
            call = await self._open_call(
                Submit(job, group, affinity or group, priority, deadline), body, read
            )
        call.waiters += 1
        try:
            await call.ended.wait()
        finally:
            call.waiters -= 1
            if not call.waiters:
                self._leave(call)
        return call.answer()

    async def request(
        self,
        payload: msgspec.Struct,
        reply: type[T],
        *,
        job: JobId,
        group: str = "",
        affinity: str = "",
        priority: int = 0,
        deadline: float = 600.0,
        check: Callable[[T], None] = lambda reply: None,
    ) -> T:
        """Like `ask`, with a payload struct to send and the type of the one that comes back.

        `check` raises `BadReply` for one that is no answer.
        """

        answer = await self.ask(
            job,
            msgspec.msgpack.encode(payload),
            group=group,
            affinity=affinity,
            priority=priority,
            deadline=deadline,
            read=reader(reply, check),
        )
        value: T = answer.value
        return value

    def cancel_group(self, group: str) -> None:
        """End every ask of this group with `JobFailed("cancelled")`, and tell the workers.

        Also call it when a group is complete, so that what is cached for it is dropped.
        """
        for call in self._calls.values():
            if call.submit.group == group:
                self._unaccepted.pop(call.submit.job, None)
                call.end(JobFailed("cancelled", f"group {group} was cancelled"))
        self._connection.send(Cancel(group=group))

    async def status(self) -> Status:
        """Ask the broker for its status; waits for as long as there is no broker."""
        number = secrets.randbits(63)
        self._statuses[number] = None
        try:
            while (status := self._statuses[number]) is None:
                await self._connection.wait_welcome()
                self._connection.send(StatusAsk(number))
                with trio.move_on_after(STATUS_RETRY_SECONDS):
                    await self._status_came.wait()
            return status
        finally:
            del self._statuses[number]

    @property
    def statistics(self) -> Statistics:
        """Counts until now: one object, kept up to date."""
        self._statistics.waiting = len(self._calls)
        return self._statistics

    @property
    def pool(self) -> str:
        """The broker's name for its pool; "" before the first welcome."""
        return self._pool

    async def run(self) -> None:
        """Serve all asks until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._connection.run)
            nursery.start_soon(self._keep_resending)

    def leave(self) -> None:
        """Tell the broker that this client leaves."""
        self._connection.send(ClientBye())

    # what the connection calls

    def hello(self) -> ClientHello:
        return ClientHello(PROTOCOL, self._name, self._session)

    def beat(self) -> ClientBeat:
        return ClientBeat([job for job, call in self._calls.items() if call.outcome is None])

    def welcomed(self, welcome: Welcome) -> None:
        self._pool = welcome.pool
        self._window.total_tokens = min(self._max_window, welcome.window or self._max_window)
        self._statistics.welcomes += 1
        for call in self._calls.values():
            if call.outcome is None:
                self._submit(call)

    def heard(self, message: ToClientMessage, body: bytes) -> None:
        match message:
            case Accepted(job=job, others=others):
                for accepted in (job, *others):
                    self._unaccepted.pop(accepted, None)
            case Finished():
                self._take(message, body)
            case Failed(job=job, kind=kind, detail=detail):
                self._fail(job, JobFailed(kind, detail))
            case Status(number=number) if number in self._statuses:
                self._statuses[number] = message
                self._status_came.set()
                self._status_came = trio.Event()

    # the life of a call

    async def _open_call(self, submit: Submit, body: bytes, read: Read) -> Call:
        call = Call(submit, body, read)
        try:
            self._window.acquire_on_behalf_of_nowait(call)
        except trio.WouldBlock:
            await self._window.acquire_on_behalf_of(call)
            if (other := self._calls.get(submit.job)) is not None:  # asked while we waited
                self._window.release_on_behalf_of(call)
                return other
        self._calls[submit.job] = call
        self._statistics.asked += 1
        self._submit(call)
        return call

    def _submit(self, call: Call) -> None:
        call.schedule_resend()
        self._unaccepted[call.submit.job] = call
        self._connection.send(call.submit, call.body)

    def _take(self, finished: Finished, body: bytes) -> None:
        """End the call with its answer; a result that is none is refused and waited for again."""
        job = finished.job
        call = self._calls.get(job)
        if call is None or call.outcome is not None:
            self._drop(job)
            return
        value = call.read(body)
        if isinstance(value, Fault):
            self._refuse(call, finished, value)
            return
        self._unaccepted.pop(job, None)
        self._statistics.answered += 1
        call.end(Answer(body, finished.worker, finished.attempt, finished.seconds, value))

    def _refuse(self, call: Call, finished: Finished, fault: Fault) -> None:
        """Let the broker have the job done again; one that forgets it gets it again."""
        self._statistics.refused += 1
        call.refusals += 1
        job = finished.job
        facts = {"job": job, "worker": finished.worker, "reason": fault.reason}
        log.warning("result refused", extra=facts)
        self._connection.send(Got(job, finished.attempt, fault.reason, fault.blame))
        if call.refusals < MOST_REFUSALS:
            self._submit(call)
        else:
            detail = f"{call.refusals} results were refused, the last of {finished.worker}"
            self._fail(job, JobFailed("error", f"{detail}: {fault.reason}"))

    def _fail(self, job: JobId, failure: JobFailed) -> None:
        call = self._calls.get(job)
        if call is None or call.outcome is not None:
            self._drop(job)
            return
        self._unaccepted.pop(job, None)
        self._statistics.failed += 1
        call.end(failure)

    def _drop(self, job: JobId) -> None:
        """No ask waits for this ending any more; let the broker forget it."""
        self._unaccepted.pop(job, None)
        self._statistics.duplicates += 1
        self._acknowledge(job)

    def _leave(self, call: Call) -> None:
        job = call.submit.job
        del self._calls[job]
        self._unaccepted.pop(job, None)
        self._window.release_on_behalf_of(call)
        if call.outcome is None:
            self._connection.send(Cancel(job=job))
        elif call.is_doubtful:
            self._connection.send(Got(job, blame=False))
        else:
            self._acknowledge(job)

    def _acknowledge(self, job: JobId) -> None:
        """Let the next message tell the broker that the job's ending is here."""
        self._acknowledgements.add(job)
        if self._acknowledgements.is_full:
            self._send_acknowledgements()

    def _send_acknowledgements(self) -> None:
        if (got := self._acknowledgements.take()) is not None:
            self._connection.send(got)

    async def _keep_resending(self) -> None:
        while True:
            await trio.sleep(RESEND_TICK_SECONDS)
            self._send_acknowledgements()
            now = trio.current_time()
            for call in [call for call in self._unaccepted.values() if call.resend_at <= now]:
                self._statistics.resent += 1
                self._submit(call)


@contextlib.asynccontextmanager
async def open_pool(
    endpoint: str, *, name: str, window: int = 1024, keys: Path | None = None
) -> AsyncIterator[PoolClient]:
    """Connect to the broker at `endpoint`, which need not be up yet.

    `window`: how many jobs may be with the broker at once. `keys`: this client's key folder.
    On exit, asks still running elsewhere are cancelled. If the broker refuses this client, the
    block is cancelled and raises `BrokerLost`.
    """
    pool = PoolClient(endpoint, name=name, window=window, keys=keys)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pool.run)
            try:
                yield pool
            finally:
                pool.leave()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = single(group)
    else:
        return
    raise error
