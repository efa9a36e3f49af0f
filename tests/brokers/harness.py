"""A `Dispatcher` with simple peers: keeps the time and records what each peer was sent."""

import random

from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, ToClient, ToWorker, WriteDeadLetter
from brokers.state import BrokerConfig
from rstar_async.wire.messages import (
    PROTOCOL,
    Accepted,
    Assign,
    Cancel,
    ClientBeat,
    ClientHello,
    Done,
    Error,
    Failed,
    Finished,
    FromClient,
    FromWorker,
    Got,
    Header,
    Status,
    StatusAsk,
    Stopped,
    Submit,
    WorkerBeat,
    WorkerHello,
    job_id,
)

TICK = 0.25
CLIENT = b"c1"
A, B, C = (job_id("job", name) for name in "abc")


class Harness:
    """One pool. Messages to the peers in `cut_off` cannot be sent."""

    def __init__(self, **config: float) -> None:
        self.now = 1000.0
        self.dispatcher = Dispatcher(
            "test", b"epoch..1", self.now, BrokerConfig(**config), random.Random(0)
        )
        self.cut_off: set[bytes] = set()
        self.dead_letters: list[WriteDeadLetter] = []
        self.sent: dict[bytes, list[Header]] = {}
        self.bodies: dict[tuple[bytes, bytes], bytes] = {}
        self.running: dict[bytes, set[bytes]] = {}
        self.refused: list[bytes] = []
        self.asked: set[bytes] = set()

    def from_client(self, message: FromClient, body: bytes = b"", peer: bytes = CLIENT) -> None:
        match message:
            case Got(job=job, fault=fault) if fault:
                self.refused.append(job)
            case Submit(job=job) if peer == CLIENT:
                self.asked.add(job)
            case Cancel(job=job, group=None) if job is not None:
                self.asked.discard(job)
        self.dispatcher.receive_from_client(self.now, peer, message, body)
        self._end_turn()

    def from_worker(self, peer: bytes, message: FromWorker, body: bytes = b"") -> None:
        if isinstance(message, Done | Error | Stopped):
            self.running.get(peer, set()).discard(message.job)
        self.dispatcher.receive_from_worker(self.now, peer, message, body)
        self._end_turn()

    def connect(self, *workers: bytes, capacity: int = 1) -> None:
        """Connect the client and these workers."""
        self.from_client(ClientHello(PROTOCOL, "client", b"client-1"))
        for peer in workers:
            self.add_worker(peer, capacity)

    def add_worker(self, peer: bytes, capacity: int = 1) -> None:
        self.from_worker(peer, WorkerHello(PROTOCOL, peer.decode(), peer.rjust(8), capacity))

    def kill_worker(self, peer: bytes) -> None:
        self.dispatcher.lose_contact(self.now, peer)
        self.pass_time(4)

    def submit_to_one_of(self, first: bytes, second: bytes) -> tuple[bytes, bytes]:
        """Submit A; return the worker that got it, then the other."""
        self.from_client(Submit(A))
        return (first, second) if self.assigned(first) else (second, first)

    def tick(self) -> None:
        self._perform(self.dispatcher.tick(self.now))

    def pass_time(self, seconds: float, *beating: bytes) -> None:
        """Let time pass; the client and the workers in `beating` send truthful beats."""
        for step in range(1, int(seconds / TICK) + 1):
            self.now += TICK
            if step % 4 == 0:
                for peer in beating:
                    self.from_worker(peer, WorkerBeat(list(self.running.get(peer, ())), 1))
                self.from_client(ClientBeat(list(self.waiting())))
            self.tick()

    def status(self) -> Status:
        self.from_client(StatusAsk(7))
        return self.sent_to(CLIENT, Status)[-1]

    def waiting(self) -> set[bytes]:
        """The jobs that were asked for and have no ending that was not refused."""
        ended = [m.job for m in self.sent_to(CLIENT, Finished, Failed)]
        return {job for job in self.asked if ended.count(job) <= self.refused.count(job)}

    def accepted(self, peer: bytes = CLIENT) -> list[bytes]:
        """The jobs that the client was told of, in the order in which it was."""
        return [job for m in self.sent_to(peer, Accepted) for job in (m.job, *m.others)]

    def sent_to(self, peer: bytes, *kinds: type) -> list:
        return [m for m in self.sent.get(peer, []) if isinstance(m, kinds)]

    def assigned(self, peer: bytes) -> list[bytes]:
        return [message.job for message in self.sent_to(peer, Assign)]

    def _end_turn(self) -> None:
        self._perform(self.dispatcher.end_turn(self.now))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToWorker(peer, message) if peer in self.cut_off:
                    self.dispatcher.lose_contact(self.now, peer, message)
                case ToClient(peer, message, body) | ToWorker(peer, message, body):
                    self._deliver(peer, message, body)
                case WriteDeadLetter():
                    self.dead_letters.append(effect)

    def _deliver(self, peer: bytes, message: Header, body: bytes) -> None:
        self.sent.setdefault(peer, []).append(message)
        if isinstance(message, Assign | Finished):
            self.bodies[peer, message.job] = body
        if isinstance(message, Assign):
            self.running.setdefault(peer, set()).add(message.job)
