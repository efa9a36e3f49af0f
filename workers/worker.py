"""The loop that every worker shares: say hello, take jobs, send heartbeats and replies, drain.

Guarantees. Each assigned job ends in one reply to the broker: `Done`, `Error` or `Stopped`. A job
keeps running while the broker is away, and its reply is kept until the broker has been heard from
`REPLY_KEPT_SECONDS` later: a broker that dies before it reads the reply costs no second run.
SIGTERM or SIGINT drains: no new jobs, the running ones have 30 seconds; a second signal ends at
once. If the engine dies no reply is sent, so that the broker gives the jobs to another worker.
"""

import logging
import secrets
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import trio

from rstar_async.errors import BadInput
from rstar_async.telemetry import heartbeat
from rstar_async.telemetry.logs import facts
from rstar_async.wire.codec import decode_to_worker
from rstar_async.wire.connection import Connection
from rstar_async.wire.exception_groups import single
from rstar_async.wire.keys import load_peer_keys
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    CancelRun,
    Done,
    Error,
    GroupEnded,
    JobId,
    Stopped,
    StopReason,
    ToWorkerMessage,
    Welcome,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
)
from rstar_async.wire.sizes import BODY_BYTES
from rstar_async.wire.socket import open_peer
from workers.metrics import WorkerGauges
from workers.task_pool import TaskPool

log = logging.getLogger(__name__)

DRAIN_SECONDS = 30.0
STOP_SECONDS = 5.0
REPLY_KEPT_SECONDS = 2.0  # two of the broker's heartbeats
DETAIL_CHARACTERS = 2000


class Retryable(Exception):
    """Raised by a handler when another try may help: the job is not at fault."""


class EngineDead(Exception):
    """Raised by a handler when this worker cannot go on. Its process must end."""


class Job(msgspec.Struct, frozen=True):
    """One job, as its handler gets it."""

    id: JobId
    attempt: int
    group: str
    affinity: str
    deadline: float
    body: bytes


Handle = Callable[[Job], Awaitable[bytes]]
OnGroupEnd = Callable[[str], Awaitable[None]]
Reply = tuple[Done | Error | Stopped, bytes]


class Run:
    """One job being worked on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.started_at = trio.current_time()
        self.reason: StopReason = "deadline"
        self._is_told_to_stop = False
        self._scope: trio.CancelScope | None = None

    @property
    def is_stopped(self) -> bool:
        return self._is_told_to_stop or (self._scope is not None and self._scope.cancel_called)

    def begin(self, scope: trio.CancelScope) -> None:
        """From now on `scope` stops it, when told to or at its deadline."""
        self._scope = scope
        scope.deadline = self.started_at + self.job.deadline
        if self._is_told_to_stop:
            scope.cancel()

    def stop(self, reason: StopReason) -> None:
        if self.is_stopped:
            return
        self._is_told_to_stop, self.reason = True, reason
        if self._scope is not None:
            self._scope.cancel()


class Worker:
    """One worker connected to its broker. Made by `serve`."""

    def __init__(
        self,
        endpoint: str,
        name: str,
        capacity: int,
        handle: Handle,
        on_group_end: OnGroupEnd | None,
        keys: Path | None,
        drain_seconds: float,
    ) -> None:
        peer_keys = load_peer_keys(keys) if keys is not None else None
        self._name = peer_keys.qualify(name) if peer_keys is not None else name
        self._capacity = capacity
        self._handle, self._on_group_end = handle, on_group_end
        self._drain_seconds = drain_seconds
        self._session = secrets.token_bytes(8)
        self._runs: dict[JobId, Run] = {}
        self._replies: deque[tuple[float, Reply]] = deque()
        self._gauges: WorkerGauges | None = None
        self._idle = trio.Event()
        self._connection: Connection[ToWorkerMessage] = Connection(
            endpoint,
            self,
            lambda: open_peer(endpoint, queue=4 * max(capacity, 256), keys=peer_keys),
            decode_to_worker,
        )

    async def run(self, drain: trio.Event | None) -> None:
        """Work until drained: by the event if one is given, else by the first signal."""
        async with trio.open_nursery() as nursery:
            self._nursery, self._tasks = nursery, TaskPool(nursery, self._work)
            nursery.start_soon(self._connection.run)
            if drain is None:
                await self._wait_for_signals(nursery)
            else:
                await drain.wait()
                await self._drain()
            nursery.cancel_scope.cancel()

    # called by the connection

    def hello(self) -> WorkerHello:
        running = {*self._runs, *(message.job for _, (message, _) in self._replies)}
        return WorkerHello(PROTOCOL, self._name, self._session, self._capacity, [*running])

    def beat(self) -> WorkerBeat:
        heartbeat.beat()  # called only while the broker knows this worker and is heard from
        self._forget_read_replies()
        return WorkerBeat(list(self._runs), self._capacity)

    def welcomed(self, welcome: Welcome) -> None:
        self._gauges = WorkerGauges(
            welcome.pool, running=lambda: len(self._runs), capacity=lambda: self._capacity
        )
        replies, self._replies = self._replies, deque()
        for _, reply in replies:
            self._send(trio.current_time(), reply)

    def heard(self, message: ToWorkerMessage, body: bytes) -> None:
        match message:
            case Assign():
                self._start(message, body)
            case CancelRun(job=job):
                if (run := self._runs.get(job)) is not None:
                    run.stop("cancelled")
            case GroupEnded(group=group):
                if self._on_group_end is not None:
                    self._nursery.start_soon(self._on_group_end, group)

    # jobs

    def _start(self, assign: Assign, body: bytes) -> None:
        running = self._runs.get(assign.job)
        if running is not None and not running.is_stopped:
            return
        run = Run(
            Job(
                assign.job,
                assign.attempt,
                assign.group,
                assign.affinity,
                assign.deadline,
                body,
            )
        )
        self._runs[assign.job] = run
        self._tasks.start(run)

    async def _work(self, run: Run, scope: trio.CancelScope) -> None:
        job = run.job
        run.begin(scope)
        try:
            with facts(worker=self._name, job=job.id, tree=job.group, attempt=job.attempt):
                reply = await self._outcome(job)
        except BaseException as error:
            if run.is_stopped and not isinstance(error, Exception):
                self._reply(run, (Stopped(job.id, job.attempt, run.reason), b""))
            raise
        else:
            self._reply(run, reply)
        finally:
            self._forget(run)

    async def _outcome(self, job: Job) -> Reply:
        try:
            return Done(job.id, job.attempt), _sendable(await self._handle(job))
        except Exception as error:
            return self._error_reply(job, single(error)), b""
        except BaseExceptionGroup as group:
            _, failures = group.split(trio.Cancelled)
            if not isinstance(failures, ExceptionGroup):
                raise
            return self._error_reply(job, single(failures)), b""

    def _error_reply(self, job: Job, error: BaseException) -> Error:
        if isinstance(error, EngineDead | BadInput):
            raise error
        retryable = isinstance(error, Retryable)
        log.log(
            logging.INFO if retryable else logging.ERROR,
            "job failed: %s",
            error,
            extra={"retryable": retryable},
            exc_info=None if retryable else error,
        )
        detail = f"{type(error).__name__}: {error}"[:DETAIL_CHARACTERS]
        return Error(job.id, job.attempt, retryable, detail.encode(errors="replace").decode())

    def _reply(self, run: Run, reply: Reply) -> None:
        now = trio.current_time()
        self._send(now, reply)
        if self._gauges is not None:
            self._gauges.count(reply[0], now - run.started_at)

    def _send(self, now: float, reply: Reply) -> None:
        self._replies.append((now, reply))
        self._connection.send(*reply)

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.job.id) is run:
            del self._runs[run.job.id]
        if not self._runs:
            self._idle.set()

    def _forget_read_replies(self) -> None:
        """Forget the replies that the broker has read: it was heard from afterwards."""
        read_until = self._connection.heard_at - REPLY_KEPT_SECONDS
        while self._replies and self._replies[0][0] <= read_until:
            self._replies.popleft()

    # draining

    async def _wait_for_signals(self, nursery: trio.Nursery) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await anext(signals)
            nursery.start_soon(self._drain_then_leave, nursery)
            await anext(signals)
            log.info("second signal: ending at once", extra={"worker": self._name})

    async def _drain_then_leave(self, nursery: trio.Nursery) -> None:
        await self._drain()
        nursery.cancel_scope.cancel()

    async def _drain(self) -> None:
        """Take no new jobs, finish or stop the running ones, say goodbye."""
        log.info("draining", extra={"worker": self._name, "running": len(self._runs)})
        self._capacity = 0
        self._connection.send(self.beat())
        with trio.move_on_after(self._drain_seconds):
            await self._wait_until_idle()
        for run in list(self._runs.values()):
            run.stop("draining")
        with trio.move_on_after(STOP_SECONDS):
            await self._wait_until_idle()
        self._connection.send(WorkerBye())

    async def _wait_until_idle(self) -> None:
        while self._runs:
            self._idle = trio.Event()
            await self._idle.wait()


def _sendable(result: bytes) -> bytes:
    if len(result) > BODY_BYTES:
        raise ValueError(f"a result of {len(result)} bytes exceeds {BODY_BYTES}")
    return result


async def serve(
    endpoint: str,
    name: str,
    capacity: int,
    handle: Handle,
    *,
    on_group_end: OnGroupEnd | None = None,
    keys: Path | None = None,
    drain: trio.Event | None = None,
    drain_seconds: float = DRAIN_SECONDS,
) -> None:
    """Work for the broker at `endpoint` until told to stop; returns after a drain.

    At most about `capacity` jobs are handled at once. `handle` returns the result's bytes;
    `Retryable` asks for another try, `EngineDead` and `BadInput` end this call (and must end the
    process), any other exception fails the job. It is cancelled when the job's result is no longer
    wanted. `on_group_end` is called when no more jobs of a group will come; it must not raise. With
    `drain` given, that event starts the drain instead of signals, for workers that share a process.
    Jobs that still run `drain_seconds` into a drain are stopped, and done by another worker.
    """
    worker = Worker(endpoint, name, capacity, handle, on_group_end, keys, drain_seconds)
    try:
        await worker.run(drain)
        return
    except BaseExceptionGroup as group:
        error = single(group)
    raise error
