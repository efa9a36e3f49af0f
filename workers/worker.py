"""The loop every worker shares: announce, take jobs, beat, answer, leave in good order.

Guarantees. Each assigned job ends in one word to the broker: `Done`, `Error` or `Stopped`. A job
keeps running while the broker is away, and its word is kept until the broker has been heard for
`KEPT_SECONDS` after it: a broker that died with the word unread costs no second run. SIGTERM or
SIGINT drains: no new jobs, the running ones have 30 seconds; a second signal ends at once. If the
engine dies nothing is said at all, so that the broker hands the jobs to another worker.
"""

import logging
import secrets
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import trio

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
from rstar_async.wire.socket import BODY_BYTES, open_peer
from workers.metrics import WorkerGauges

log = logging.getLogger(__name__)

DRAIN_SECONDS = 30.0
STOP_SECONDS = 5.0
KEPT_SECONDS = 2.0  # two of the broker's beats
DETAIL_CHARACTERS = 2000


class Retryable(Exception):
    """Raised by a handler: not this job's fault, another try may help."""


class EngineDead(Exception):
    """Raised by a handler: this worker cannot work any more. Its process must end."""


class Job(msgspec.Struct, frozen=True):
    """What a handler is given."""

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
        self.scope = trio.CancelScope(deadline=trio.current_time() + job.deadline)
        self.reason: StopReason = "deadline"

    def stop(self, reason: StopReason) -> None:
        if not self.scope.cancel_called:
            self.reason = reason
            self.scope.cancel()


class Worker:
    """One worker process's conversation with its broker. Made by `serve`."""

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
        self._words: list[tuple[float, Reply]] = []
        self._gauges: WorkerGauges | None = None
        self._idle = trio.Event()
        self._link: Connection[ToWorkerMessage] = Connection(
            endpoint,
            self,
            lambda: open_peer(endpoint, queue=4 * max(capacity, 256), keys=peer_keys),
            decode_to_worker,
        )

    async def run(self, drain: trio.Event | None) -> None:
        """Work until drained: by the event if one is given, else by the first signal."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._link.run)
            if drain is None:
                await self._wait_for_signals(nursery)
            else:
                await drain.wait()
                await self._drain()
            nursery.cancel_scope.cancel()

    # what the link asks and tells

    def hello(self) -> WorkerHello:
        running = {*self._runs, *(message.job for _, (message, _) in self._words)}
        return WorkerHello(PROTOCOL, self._name, self._session, self._capacity, [*running])

    def beat(self) -> WorkerBeat:
        heartbeat.beat()  # nobody asks for this unless the broker knows us and was heard from
        self._forget_words()
        return WorkerBeat(list(self._runs), self._capacity)

    def welcomed(self, welcome: Welcome) -> None:
        self._gauges = WorkerGauges(
            welcome.pool, running=lambda: len(self._runs), capacity=lambda: self._capacity
        )
        words, self._words = self._words, []
        for _, (message, body) in words:
            self._say(message, body)

    def heard(self, message: ToWorkerMessage, body: bytes) -> None:
        match message:
            case Assign():
                self._take(message, body)
            case CancelRun(job=job):
                if (run := self._runs.get(job)) is not None:
                    run.stop("cancelled")
            case GroupEnded(group=group):
                if self._on_group_end is not None:
                    self._nursery.start_soon(self._on_group_end, group)

    # jobs

    def _take(self, assign: Assign, body: bytes) -> None:
        running = self._runs.get(assign.job)
        if running is not None and not running.scope.cancel_called:
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
        self._nursery.start_soon(self._work, run)

    async def _work(self, run: Run) -> None:
        job, started = run.job, trio.current_time()
        try:
            with facts(worker=self._name, job=job.id, tree=job.group, attempt=job.attempt):
                message, body = await self._outcome(run)
            self._say(message, body)
            if self._gauges is not None:
                self._gauges.count(message, trio.current_time() - started)
        finally:
            if self._runs.get(job.id) is run:
                del self._runs[job.id]
            if not self._runs:
                self._idle.set()

    async def _outcome(self, run: Run) -> Reply:
        job = run.job
        try:
            with run.scope:
                return Done(job.id, job.attempt), _sendable(await self._handle(job))
        except Exception as error:
            return self._complaint(job, single(error)), b""
        return Stopped(job.id, job.attempt, run.reason), b""

    def _complaint(self, job: Job, error: BaseException) -> Error:
        if isinstance(error, EngineDead):
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

    def _say(self, message: Done | Error | Stopped, body: bytes) -> None:
        self._words.append((trio.current_time(), (message, body)))
        self._link.send(message, body)

    def _forget_words(self) -> None:
        """Forget what the broker has read, for it was heard afterwards."""
        read_until = self._link.heard_at - KEPT_SECONDS
        self._words = [(at, word) for at, word in self._words if at > read_until]

    # leaving

    async def _wait_for_signals(self, nursery: trio.Nursery) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await anext(signals)
            nursery.start_soon(self._drain_then_leave, nursery)
            await anext(signals)
            log.info("second signal: leaving at once", extra={"worker": self._name})

    async def _drain_then_leave(self, nursery: trio.Nursery) -> None:
        await self._drain()
        nursery.cancel_scope.cancel()

    async def _drain(self) -> None:
        """Finish what runs, take nothing new, say goodbye."""
        log.info("draining", extra={"worker": self._name, "running": len(self._runs)})
        self._capacity = 0
        self._link.send(self.beat())
        with trio.move_on_after(self._drain_seconds):
            await self._wait_until_idle()
        for run in list(self._runs.values()):
            run.stop("draining")
        with trio.move_on_after(STOP_SECONDS):
            await self._wait_until_idle()
        self._link.send(WorkerBye())

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
    `Retryable` asks for another try, `EngineDead` ends this call (and must end the process), any
    other exception fails the job. It is cancelled when nobody waits for the job any more.
    `on_group_end` is called when no more jobs of a group will come; it must not raise. With
    `drain` given, that event is obeyed instead of signals: for stations that share a process. What
    runs for longer than `drain_seconds` into a drain is stopped, and done by another worker.
    """
    station = Worker(endpoint, name, capacity, handle, on_group_end, keys, drain_seconds)
    try:
        await station.run(drain)
        return
    except BaseExceptionGroup as group:
        error = single(group)
    raise error
