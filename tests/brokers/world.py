"""A small world around one ledger: clients and workers as they behave, over connections that break.

The people here follow the same rules as `PoolClient` and `Station`, without sockets. Messages keep
their order on one connection and no order between connections; a broken connection loses what was
under way, and its owner comes back from a new address.
"""

import random
from collections import deque

from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, ToClient, ToWorker, WriteDeadLetter
from brokers.state import BrokerConfig
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
Parcel = tuple[Header, bytes]


class Person:
    """A peer with a session that outlives its connections."""

    def __init__(self, world: "World", session: bytes) -> None:
        self.world, self.session = world, session
        self.sent: deque[Parcel] = deque()
        self.coming: deque[Parcel] = deque()
        self.epoch = b""
        self.is_welcome = False
        self.reconnect()

    def reconnect(self) -> None:
        """The connection breaks; a new one starts with Hello."""
        self.peer = self.world.new_address(self)
        self.sent.clear()
        self.coming.clear()
        self.say_hello()

    def say_hello(self) -> None:
        self.is_welcome = False
        self.sent.append((self.hello(), b""))

    def say(self, message: Header, body: bytes = b"") -> bool:
        if self.is_welcome:
            self.sent.append((message, body))
        return self.is_welcome

    def hear(self, message: Header, body: bytes) -> None:
        match message:
            case Welcome(epoch=epoch):
                self.epoch, self.is_welcome = epoch, True
                self.welcomed()
            case WhoAreYou():
                if self.is_welcome:
                    self.say_hello()
            case BrokerBeat(epoch=epoch):
                if epoch != self.epoch and self.is_welcome:
                    self.say_hello()
            case _:
                self.heard(message, body)

    def hello(self) -> Header:
        raise NotImplementedError

    def welcomed(self) -> None:
        raise NotImplementedError

    def heard(self, message: Header, body: bytes) -> None:
        raise NotImplementedError


class ClientPerson(Person):
    """Waits for jobs; `endings` has every ending of every ask that reached it."""

    def __init__(self, world: "World", session: bytes) -> None:
        self.waiting: dict[bytes, Submit] = {}
        self.endings: dict[bytes, list[Header]] = {}
        super().__init__(world, session)

    def ask(self, submit: Submit) -> None:
        if submit.job not in self.waiting:
            self.endings[submit.job] = []
            self.waiting[submit.job] = submit
            self.say(submit, result_of(submit.job))

    def cancel(self, job: bytes) -> None:
        del self.waiting[job], self.endings[job]
        self.say(Cancel(job=job))

    def cancel_group(self, group: str) -> None:
        for job in [job for job, submit in self.waiting.items() if submit.group == group]:
            del self.waiting[job], self.endings[job]
        self.say(Cancel(group=group))

    def beat(self) -> None:
        self.say(ClientBeat(list(self.waiting)))

    def hello(self) -> Header:
        return ClientHello(PROTOCOL, "client", self.session)

    def welcomed(self) -> None:
        for submit in self.waiting.values():
            self.say(submit, result_of(submit.job))

    def heard(self, message: Header, body: bytes) -> None:
        if not isinstance(message, Finished | Failed):
            return
        if message.job in self.waiting:
            if isinstance(message, Finished):
                assert body == result_of(message.job)
            self.endings[message.job].append(message)
            del self.waiting[message.job]
        self.say(Got(message.job))


class WorkerPerson(Person):
    """Runs jobs until the world lets one end; `stopping` are cancelled runs not yet over."""

    def __init__(self, world: "World", session: bytes, capacity: int) -> None:
        self.capacity = capacity
        self.runs: dict[bytes, Assign] = {}
        self.stopping: set[bytes] = set()
        self.unsaid: list[Parcel] = []
        super().__init__(world, session)

    def end(self, job: bytes, how: str) -> None:
        run = self.runs.pop(job)
        if job in self.stopping:
            self.stopping.discard(job)
            self.tell(Stopped(job, run.attempt, "cancelled"))
        elif how == "done":
            self.tell(Done(job, run.attempt), result_of(job))
        else:
            self.tell(Error(job, run.attempt, retryable=how == "busy", detail=how))

    def tell(self, message: Header, body: bytes = b"") -> None:
        if not self.say(message, body):
            self.unsaid.append((message, body))

    def beat(self) -> None:
        self.say(WorkerBeat(list(self.runs), self.capacity))

    def leave(self) -> None:
        self.say(WorkerBye())

    def hello(self) -> Header:
        running = [*self.runs, *(message.job for message, _ in self.unsaid)]
        return WorkerHello(PROTOCOL, "worker", self.session, self.capacity, running)

    def welcomed(self) -> None:
        unsaid, self.unsaid = self.unsaid, []
        for message, body in unsaid:
            self.tell(message, body)

    def heard(self, message: Header, body: bytes) -> None:
        match message:
            case Assign():
                assert message.job not in self.stopping, "given to one that still stops it"
                assert body == result_of(message.job)
                self.runs.setdefault(message.job, message)
            case CancelRun(job=job):
                if job in self.runs:
                    self.stopping.add(job)


class World:
    """One broker, its clients and workers, and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.addresses = 0
        self.epochs = 0
        self.at: dict[bytes, Person] = {}
        self.letters: set[bytes] = set()
        self.clients: list[ClientPerson] = []
        self.workers: list[WorkerPerson] = []
        self.restart_broker()

    def restart_broker(self) -> None:
        self.epochs += 1
        epoch = b"%8d" % self.epochs
        self.ledger = Dispatcher("test", epoch, self.now, BrokerConfig(window=64), random.Random(0))
        for person in (*self.clients, *self.workers):
            person.reconnect()

    def new_address(self, person: Person) -> bytes:
        self.addresses += 1
        address = b"p%d" % self.addresses
        self.at[address] = person
        return address

    def add_client(self) -> None:
        self.clients.append(ClientPerson(self, b"client%2d" % len(self.clients)))

    def add_worker(self, capacity: int) -> None:
        self.workers.append(WorkerPerson(self, b"worker%4d" % self.addresses, capacity))

    def kill(self, worker: WorkerPerson) -> None:
        """SIGKILL: nothing more is said; what was sent before still arrives, or not."""
        self.workers.remove(worker)
        self.deliver_from(worker, len(worker.sent) // 2)
        del self.at[worker.peer]
        self.ledger.lose_contact(self.now, worker.peer)

    def deliver_from(self, person: Person, count: int) -> None:
        handle = (
            self.ledger.handle_client
            if isinstance(person, ClientPerson)
            else self.ledger.handle_worker
        )
        for _ in range(min(count, len(person.sent))):
            message, body = person.sent.popleft()
            self.perform(handle(self.now, person.peer, message, body))

    def deliver_to(self, person: Person, count: int) -> None:
        for _ in range(min(count, len(person.coming))):
            person.hear(*person.coming.popleft())

    def deliver_all(self) -> None:
        everyone = (*self.clients, *self.workers)
        while any(person.sent or person.coming for person in everyone):
            for person in everyone:
                self.deliver_from(person, len(person.sent))
                self.deliver_to(person, len(person.coming))

    def tick(self) -> None:
        self.now += TICK
        self.perform(self.ledger.tick(self.now))
        if self.now % 1.0 < TICK:
            for person in (*self.clients, *self.workers):
                person.beat() if person.is_welcome else person.say_hello()

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(peer, message, body) | ToWorker(peer, message, body):
                    person = self.at.get(peer)
                    if person is not None and person.peer == peer:
                        person.coming.append((message, body or b""))
                    elif isinstance(effect, ToWorker):
                        self.ledger.lose_contact(self.now, peer)
                case WriteDeadLetter(submit=submit):
                    self.letters.add(submit.job)


def result_of(job: bytes) -> bytes:
    return b"result of " + job
