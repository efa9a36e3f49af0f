"""The broker's side of the protocol: messages and `now` in, effects out. Pure.

It takes in what peers send and returns, at the end of a turn, what must be sent. No socket, no
clock, no await, so a test can play through every schedule of crashes, delays and repetitions. The
state, owned by `PoolState`, lives in memory only: after a restart, clients submit again and
workers announce what they run.
"""

import random

from brokers.effects import Effect, EffectQueue
from brokers.pool_state import PoolState
from brokers.state import BrokerConfig, Client, Worker
from brokers.status import status_of
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    BrokerBeat,
    Cancel,
    ClientBeat,
    ClientBye,
    ClientHello,
    Done,
    Error,
    FromClient,
    FromWorker,
    Got,
    GroupEnded,
    Header,
    Refused,
    Status,
    StatusAsk,
    Stopped,
    Submit,
    Welcome,
    WhoAreYou,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
)

BEAT_SECONDS = 1.0
STALL_SECONDS = 2.0


class Dispatcher:
    """Serves one pool. Every method that takes `now` expects it never to decrease."""

    def __init__(
        self,
        pool: str,
        epoch: bytes,
        now: float,
        config: BrokerConfig | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._pool, self._epoch, self._started = pool, epoch, now
        self._config = config or BrokerConfig()
        self._effects = EffectQueue()
        self._state = PoolState(now, self._config, self._effects, rng or random.Random())
        self._ticked_at = self._beaten_at = now

    def receive_from_client(
        self, now: float, peer: bytes, message: FromClient, body: bytes
    ) -> None:
        client = self._state.clients.at(peer)
        if isinstance(message, ClientHello):
            self._welcome_client(now, peer, message)
        elif client is None:
            self._effects.to_client(peer, WhoAreYou(self._epoch))
        else:
            client.heard_at = now
            self._handle_client(now, client, message, body)

    def receive_from_worker(
        self, now: float, peer: bytes, message: FromWorker, body: bytes
    ) -> None:
        worker = self._state.workers.at(peer)
        if isinstance(message, WorkerHello):
            self._welcome_worker(now, peer, message)
        elif worker is None:
            self._effects.to_worker(peer, WhoAreYou(self._epoch))
            if isinstance(message, Done):  # a result counts, even from an unknown worker
                self._state.record_result(now, None, message, body)
        else:
            worker.note_heard(now, self._config.lease)
            self._handle_worker(now, worker, message, body)

    def end_turn(self, now: float) -> list[Effect]:
        """Lease what can be leased; return all that must be done since the last turn."""
        self._state.assign(now)
        return self._effects.take()

    def lose_contact(self, now: float, peer: bytes, unsent: Header | None = None) -> None:
        """A worker's connection is broken: it has a moment to come back, and gets nothing new.

        A job whose assignment could not even be sent is requeued at once and without suspicion.
        """
        worker = self._state.workers.at(peer)
        if worker is None:
            return
        worker.note_unreachable(now + self._config.reconnect)
        if isinstance(unsent, Assign):
            self._state.lose_run(now, worker, unsent.job)

    def refuse_client(self, now: float, peer: bytes) -> None:
        """A client, or a stranger at its door, sent what is no message."""
        self._state.counters.malformed += 1

    def refuse_worker(self, now: float, peer: bytes) -> None:
        """A worker, or a stranger at its door, sent what is no message."""
        self._state.counters.malformed += 1
        if (worker := self._state.workers.at(peer)) is not None:
            self._effects.log("worker expelled", worker=worker.name, held=len(worker.held))
            self._state.expel_worker(now, worker)

    def tick(self, now: float) -> list[Effect]:
        """Let time pass, and end the turn; call several times a second."""
        stall = now - self._ticked_at
        self._ticked_at = now
        if stall > STALL_SECONDS:
            self._forgive(stall)  # we slept: peers' messages wait in our sockets, so read first
        else:
            self._remove_silent_workers(now)
            self._remove_silent_clients(now)
            self._state.pass_time(now)
        for client in self._state.clients:
            self._state.acknowledge(client)
        if now - self._beaten_at >= BEAT_SECONDS:
            self._beat(now)
        return self.end_turn(now)

    def held_bytes(self) -> int:
        """Bytes in the bodies and results of all jobs; takes a moment for each."""
        return self._state.held_bytes()

    def count_peers(self) -> int:
        return len(self._state.clients) + len(self._state.workers)

    def status(self, now: float, number: int = 0) -> Status:
        """The pool at a glance; takes a moment for each job in memory."""
        return status_of(
            self._state,
            number=number,
            pool=self._pool,
            epoch=self._epoch,
            uptime_seconds=now - self._started,
            now=now,
        )

    # clients

    def _welcome_client(self, now: float, peer: bytes, hello: ClientHello) -> None:
        if hello.protocol != PROTOCOL:
            self._effects.to_client(peer, Refused(_other_protocol(hello.protocol)))
            return
        client = self._state.clients.get(hello.session)
        if client is None:
            self._state.clients.add(Client(hello.session, hello.name, peer, now))
            self._effects.log("client joined", client=hello.name)
        else:
            self._state.clients.move(client, peer)
            client.heard_at = now
        beat, window = self._config.client_beat, self._config.window
        self._effects.to_client(peer, Welcome(self._epoch, beat, window, self._pool))

    def _handle_client(self, now: float, client: Client, message: FromClient, body: bytes) -> None:
        match message:
            case Submit():
                self._state.submit(now, client, message, body)
            case Got():
                self._state.take(now, client, message)
            case Cancel(job=job, group=group):
                if job is not None:
                    self._state.abandon(client, job)
                if group is not None:
                    self._end_group(client, group)
            case ClientBeat(waiting=waiting):
                self._state.reconcile_client(now, client, set(waiting))
            case StatusAsk(number=number):
                self._effects.to_client(client.peer, self.status(now, number))
            case ClientBye():
                self._remove_client(client, "client left")

    def _end_group(self, client: Client, group: str) -> None:
        self._state.abandon_group(client, group)
        for worker in self._state.workers:
            self._effects.to_worker(worker.peer, GroupEnded(group))

    def _remove_client(self, client: Client, event: str) -> None:
        self._effects.log(event, client=client.name, jobs=len(client.jobs))
        self._state.remove_client(client)

    def _remove_silent_clients(self, now: float) -> None:
        for client in self._state.clients:
            if client.heard_at + self._config.client_gone <= now:
                self._remove_client(client, "client lost")

    # workers

    def _welcome_worker(self, now: float, peer: bytes, hello: WorkerHello) -> None:
        if hello.protocol != PROTOCOL:
            self._effects.to_worker(peer, Refused(_other_protocol(hello.protocol)))
            return
        worker = self._state.workers.get(hello.session)
        if worker is None:
            lost_at = now + self._config.lease
            worker = Worker(hello.session, hello.name, peer, hello.capacity, now, lost_at)
            self._state.add_worker(worker)
            self._effects.log("worker joined", worker=hello.name, capacity=hello.capacity)
        else:
            self._state.workers.move(worker, peer)
            worker.note_heard(now, self._config.lease)
            self._set_capacity(worker, hello.capacity)
        welcome = Welcome(self._epoch, self._config.worker_beat, pool=self._pool)
        self._effects.to_worker(peer, welcome)
        self._state.reconcile_worker(now, worker, set(hello.running))

    def _handle_worker(self, now: float, worker: Worker, message: FromWorker, body: bytes) -> None:
        match message:
            case WorkerBeat(running=running, capacity=capacity):
                self._set_capacity(worker, capacity)
                self._state.reconcile_worker(now, worker, set(running))
            case Done():
                self._state.record_result(now, worker, message, body)
            case Error():
                self._state.record_error(now, worker, message)
            case Stopped():
                self._state.record_stop(now, worker, message)
            case WorkerBye():
                self._effects.log("worker left", worker=worker.name, held=len(worker.held))
                self._state.remove_worker(now, worker, died=False)

    def _set_capacity(self, worker: Worker, capacity: int) -> None:
        if capacity != worker.capacity:
            self._effects.log("capacity changed", worker=worker.name, capacity=capacity)
        worker.capacity = capacity

    def _remove_silent_workers(self, now: float) -> None:
        for worker in self._state.workers:
            if worker.lost_at <= now:
                self._effects.log("worker lost", worker=worker.name, held=len(worker.held))
                self._state.remove_worker(now, worker, died=True)

    # all peers

    def _forgive(self, stall: float) -> None:
        """Do not count the time in which we could not read against anyone."""
        for worker in self._state.workers:
            worker.lost_at += stall
        for client in self._state.clients:
            client.heard_at += stall

    def _beat(self, now: float) -> None:
        self._beaten_at = now
        beat = BrokerBeat(self._epoch)
        for client in self._state.clients:
            self._effects.to_client(client.peer, beat)
        for worker in self._state.workers:
            self._effects.to_worker(worker.peer, beat)


def _other_protocol(theirs: int) -> str:
    return f"protocol {theirs} spoken where {PROTOCOL} is: upgrade the older side"
