"""One dispatcher with simulated clients and workers, over connections that break.

The peers follow the same rules as `PoolClient` and `Worker`, without sockets. Messages keep their
order on one connection and no order between connections; a broken connection loses what was under
way, and its peer comes back from a new address.
"""

import random
from collections import deque

from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, ToClient, ToWorker, WriteDeadLetter
from brokers.state import BrokerConfig
from rstar_async.wire.codec import Message
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    BrokerBeat,
    Cancel,
    CancelRun,
    ClientBeat,
    ClientHello,
    Done,
    Error,
    Failed,
    Finished,
    Got,
    Header,
    Stopped,
    Submit,
    Welcome,
    WhoAreYou,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
)

TICK = 0.25


class SimulatedPeer:
    """A peer with a session that outlives its connections."""

    def __init__(self, simulation: "Simulation", session: bytes) -> None:
        self.simulation, self.session = simulation, session
        self.sent: deque[Message] = deque()
        self.incoming: deque[Message] = deque()
        self.epoch = b""
        self.is_welcome = False
        self.reconnect()

    def reconnect(self) -> None:
        """The connection breaks; a new one starts with Hello."""
        self.address = self.simulation.new_address(self)
        self.sent.clear()
        self.incoming.clear()
        self.send_hello()

    def send_hello(self) -> None:
        self.is_welcome = False
        self.sent.append((self.hello(), b""))

    def send(self, message: Header, body: bytes = b"") -> bool:
        if self.is_welcome:
            self.sent.append((message, body))
        return self.is_welcome

    def receive(self, message: Header, body: bytes) -> None:
        match message:
            case Welcome(epoch=epoch):
                self.epoch, self.is_welcome = epoch, True
                self.welcomed()
            case WhoAreYou():
                if self.is_welcome:
                    self.send_hello()
            case BrokerBeat(epoch=epoch):
                if epoch != self.epoch and self.is_welcome:
                    self.send_hello()
            case _:
                self.handle(message, body)

    def hello(self) -> Header:
        raise NotImplementedError

    def welcomed(self) -> None:
        raise NotImplementedError

    def handle(self, message: Header, body: bytes) -> None:
        raise NotImplementedError


class SimulatedClient(SimulatedPeer):
    """Waits for jobs; `endings` has every ending that reached it of every job it asked for."""

    def __init__(self, simulation: "Simulation", session: bytes) -> None:
        self.waiting: dict[bytes, Submit] = {}
        self.refuses_next = False
        self.endings: dict[bytes, list[Header]] = {}
        self.arrived: list[bytes] = []
        super().__init__(simulation, session)

    def send(self, message: Header, body: bytes = b"") -> bool:
        """What has arrived is acknowledged with the next message."""
        if self.arrived:
            (job, *others), self.arrived = self.arrived, []
            super().send(Got(job, others=others))
        return super().send(message, body)

    def ask(self, submit: Submit) -> None:
        if submit.job not in self.waiting:
            self.endings[submit.job] = []
            self.waiting[submit.job] = submit
            self.send(submit, result_of(submit.job))

    def cancel(self, job: bytes) -> None:
        del self.waiting[job], self.endings[job]
        self.send(Cancel(job=job))

    def cancel_group(self, group: str) -> None:
        for job in [job for job, submit in self.waiting.items() if submit.group == group]:
            del self.waiting[job], self.endings[job]
        self.send(Cancel(group=group))

    def beat(self) -> None:
        self.send(ClientBeat(list(self.waiting)))

    def hello(self) -> Header:
        return ClientHello(PROTOCOL, "client", self.session)

    def welcomed(self) -> None:
        for submit in self.waiting.values():
            self.send(submit, result_of(submit.job))

    def handle(self, message: Header, body: bytes) -> None:
        if not isinstance(message, Finished | Failed):
            return
        if isinstance(message, Finished) and self.refuses_next and message.job in self.waiting:
            self.refuses_next = False
            self.send(Got(message.job, message.attempt, "refused"))
            self.send(self.waiting[message.job], result_of(message.job))
            return
        if message.job in self.waiting:
            if isinstance(message, Finished):
                assert body == result_of(message.job)
            self.endings[message.job].append(message)
            del self.waiting[message.job]
        self.arrived.append(message.job)


class SimulatedWorker(SimulatedPeer):
    """Runs jobs until the simulation ends one; `stopping` are cancelled runs not yet over."""

    def __init__(self, simulation: "Simulation", session: bytes, capacity: int) -> None:
        self.capacity = capacity
        self.runs: dict[bytes, Assign] = {}
        self.stopping: set[bytes] = set()
        self.unsent: list[Message] = []
        super().__init__(simulation, session)

    def end(self, job: bytes, how: str) -> None:
        run = self.runs.pop(job)
        if job in self.stopping:
            self.stopping.discard(job)
            self.report(Stopped(job, run.attempt, "cancelled"))
        elif how == "done":
            self.report(Done(job, run.attempt), result_of(job))
        else:
            self.report(Error(job, run.attempt, retryable=how == "busy", detail=how))

    def report(self, message: Header, body: bytes = b"") -> None:
        if not self.send(message, body):
            self.unsent.append((message, body))

    def beat(self) -> None:
        self.send(WorkerBeat(list(self.runs), self.capacity))

    def leave(self) -> None:
        self.send(WorkerBye())

    def hello(self) -> Header:
        running = [*self.runs, *(message.job for message, _ in self.unsent)]
        return WorkerHello(PROTOCOL, "worker", self.session, self.capacity, running)

    def welcomed(self) -> None:
        unsent, self.unsent = self.unsent, []
        for message, body in unsent:
            self.report(message, body)

    def handle(self, message: Header, body: bytes) -> None:
        match message:
            case Assign():
                assert message.job not in self.stopping, "assigned to a worker that still stops it"
                assert body == result_of(message.job)
                self.runs.setdefault(message.job, message)
            case CancelRun(job=job):
                if job in self.runs:
                    self.stopping.add(job)


class Simulation:
    """One dispatcher, its clients and workers, and the time."""

    def __init__(self, *, affinity_follows: bool = False) -> None:
        self.config = BrokerConfig(window=64, affinity_follows=affinity_follows)
        self.now = 0.0
        self.addresses = 0
        self.epochs = 0
        self.at: dict[bytes, SimulatedPeer] = {}
        self.dead_letters: set[bytes] = set()
        self.clients: list[SimulatedClient] = []
        self.workers: list[SimulatedWorker] = []
        self.restart_broker()

    def restart_broker(self) -> None:
        self.epochs += 1
        epoch = b"%8d" % self.epochs
        self.dispatcher = Dispatcher("test", epoch, self.now, self.config, random.Random(0))
        for peer in self.peers:
            peer.reconnect()

    @property
    def peers(self) -> list[SimulatedPeer]:
        return [*self.clients, *self.workers]

    def new_address(self, peer: SimulatedPeer) -> bytes:
        self.addresses += 1
        address = b"p%d" % self.addresses
        self.at[address] = peer
        return address

    def add_client(self) -> None:
        self.clients.append(SimulatedClient(self, b"client%2d" % len(self.clients)))

    def add_worker(self, capacity: int) -> None:
        self.workers.append(SimulatedWorker(self, b"worker%4d" % self.addresses, capacity))

    def kill(self, worker: SimulatedWorker) -> None:
        """SIGKILL: it sends nothing more; half of what it sent before still arrives."""
        self.workers.remove(worker)
        self.deliver_from(worker, len(worker.sent) // 2)
        del self.at[worker.address]
        self.dispatcher.lose_contact(self.now, worker.address)

    def deliver_from(self, peer: SimulatedPeer, count: int) -> None:
        dispatcher = self.dispatcher
        is_client = isinstance(peer, SimulatedClient)
        receive = dispatcher.receive_from_client if is_client else dispatcher.receive_from_worker
        for _ in range(min(count, len(peer.sent))):
            message, body = peer.sent.popleft()
            receive(self.now, peer.address, message, body)
            self.perform(self.dispatcher.end_turn(self.now))

    def deliver_to(self, peer: SimulatedPeer, count: int) -> None:
        for _ in range(min(count, len(peer.incoming))):
            peer.receive(*peer.incoming.popleft())

    def deliver_all(self) -> None:
        peers = self.peers
        while any(peer.sent or peer.incoming for peer in peers):
            for peer in peers:
                self.deliver_from(peer, len(peer.sent))
                self.deliver_to(peer, len(peer.incoming))

    def tick(self) -> None:
        self.now += TICK
        self.perform(self.dispatcher.tick(self.now))
        if self.now % 1.0 < TICK:
            for peer in self.peers:
                peer.beat() if peer.is_welcome else peer.send_hello()

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(address, message, body) | ToWorker(address, message, body):
                    peer = self.at.get(address)
                    if peer is not None and peer.address == address:
                        peer.incoming.append((message, body))
                    elif isinstance(effect, ToWorker):
                        self.dispatcher.lose_contact(self.now, address)
                case WriteDeadLetter(submit=submit):
                    self.dead_letters.add(submit.job)


def result_of(job: bytes) -> bytes:
    return b"result of " + job
