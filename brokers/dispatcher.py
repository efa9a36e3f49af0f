"""The broker's mind: who is here, what waits, what runs where. Pure.

Hears what peers say, with the time, and says at the end of a turn what must be sent. No socket, no
clock, no await, so every schedule of crashes, delays and repetitions can be played through in a
test. It keeps memory only: after a restart, clients submit again and workers say what they run.
"""

import random

from brokers.effects import Effect, LogEvent, ToClient, ToWorker
from brokers.jobs import JobTable
from brokers.leases import Leases
from brokers.peers import Peers
from brokers.scheduler import Scheduler
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
    """One pool's state. Every method that takes `now` expects it never to decrease."""

    def __init__(
        self,
        pool: str,
        epoch: bytes,
        now: float,
        rules: BrokerConfig | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._pool, self._epoch, self._started = pool, epoch, now
        self._rules = rules or BrokerConfig()
        self._clients: Peers[Client] = Peers()
        assigner = Scheduler(self._rules.ward)
        self._book = JobTable(now, self._rules, self._clients, assigner)
        self._floor = Leases(self._rules, self._book, assigner, rng or random.Random())
        self._workers = self._book.workers
        self._ticked_at = self._beaten_at = now

    def handle_client(
        self, now: float, peer: bytes, message: FromClient, body: bytes
    ) -> list[Effect]:
        """A turn in which one client says one thing."""
        self.hear_client(now, peer, message, body)
        return self.conclude(now)

    def handle_worker(
        self, now: float, peer: bytes, message: FromWorker, body: bytes
    ) -> list[Effect]:
        """A turn in which one worker says one thing."""
        self.hear_worker(now, peer, message, body)
        return self.conclude(now)

    def hear_client(self, now: float, peer: bytes, message: FromClient, body: bytes) -> None:
        client = self._clients.at(peer)
        if isinstance(message, ClientHello):
            self._meet_client(now, peer, message)
        elif client is None:
            self._tell_client(peer, WhoAreYou(self._epoch))
        else:
            client.heard_at = now
            self._obey_client(now, client, message, body)

    def hear_worker(self, now: float, peer: bytes, message: FromWorker, body: bytes) -> None:
        worker = self._workers.at(peer)
        if isinstance(message, WorkerHello):
            self._meet_worker(now, peer, message)
        elif worker is None:
            self._tell_worker(peer, WhoAreYou(self._epoch))
            if isinstance(message, Done):  # a result is a result, even from a stranger
                self._floor.done(now, None, message, body)
        else:
            self._trust_again(now, worker)
            self._obey_worker(now, worker, message, body)

    def conclude(self, now: float) -> list[Effect]:
        """End the turn: lease what can be leased, and say what must be sent."""
        self._floor.assign(now)
        effects, self._book.effects = self._book.effects, []
        return effects

    def lose_contact(self, now: float, peer: bytes, unsent: Header | None = None) -> None:
        """A worker's connection is broken: it has a moment to come back, and gets nothing new.

        A job whose assignment could not even be sent is for somebody else, at once and unsuspected.
        """
        worker = self._workers.at(peer)
        if worker is None:
            return
        worker.lost_at = min(worker.lost_at, now + self._rules.reconnect)
        worker.is_reachable = False
        if isinstance(unsent, Assign):
            self._floor.never_left(now, worker, unsent.job)

    def count_malformed(self) -> None:
        self._book.counters.malformed += 1

    def tick(self, now: float) -> list[Effect]:
        """Let time pass; call several times a second."""
        stall = now - self._ticked_at
        self._ticked_at = now
        if stall > STALL_SECONDS:
            self._forgive(stall)  # we slept: their words wait in our sockets, so listen first
        else:
            self._lose_silent_workers(now)
            self._lose_gone_clients(now)
            self._book.pass_time(now)
            self._floor.drop_unclaimed(now)
        if now - self._beaten_at >= BEAT_SECONDS:
            self._beat(now)
        return self.conclude(now)

    # clients

    def _meet_client(self, now: float, peer: bytes, hello: ClientHello) -> None:
        if hello.protocol != PROTOCOL:
            self._tell_client(peer, Refused(_other_protocol(hello.protocol)))
            return
        client = self._clients.get(hello.session)
        if client is None:
            self._clients.add(Client(hello.session, hello.name, peer, now))
            self._note("client came", client=hello.name)
        else:
            self._clients.move(client, peer)
            client.heard_at = now
        beat, window = self._rules.client_beat, self._rules.window
        self._tell_client(peer, Welcome(self._epoch, beat, window, self._pool))

    def _obey_client(self, now: float, client: Client, message: FromClient, body: bytes) -> None:
        match message:
            case Submit():
                self._book.submit(now, client, message, body)
            case Got(job=job):
                self._book.disown(client, job)
            case Cancel(job=job, group=group):
                if job is not None:
                    self._book.disown(client, job)
                if group is not None:
                    self._end_group(client, group)
            case ClientBeat(waiting=waiting):
                self._compare(now, client, set(waiting))
            case StatusAsk(number=number):
                self._tell_client(client.peer, self.status(now, number))
            case ClientBye():
                self._part_with(client, "left")

    def _compare(self, now: float, client: Client, waiting: set[bytes]) -> None:
        """Mend lost Cancels, Gots and endings."""
        for job_id in client.jobs - waiting:
            self._book.disown(client, job_id)
        for job_id in client.jobs:
            job = self._book.jobs[job_id]
            if job.ending is not None and job.told_at + self._rules.resend_ending <= now:
                self._book.tell_ending(now, client, job)

    def _end_group(self, client: Client, group: str) -> None:
        for job_id in list(client.jobs):
            if self._book.jobs[job_id].submit.group == group:
                self._book.disown(client, job_id)
        for worker in self._workers:
            self._tell_worker(worker.peer, GroupEnded(group))

    def _part_with(self, client: Client, how: str) -> None:
        self._note(f"client {how}", client=client.name, jobs=len(client.jobs))
        for job_id in list(client.jobs):
            self._book.disown(client, job_id)
        self._clients.remove(client)

    def _lose_gone_clients(self, now: float) -> None:
        for client in self._clients:
            if client.heard_at + self._rules.client_gone <= now:
                self._part_with(client, "gone")

    # workers

    def _meet_worker(self, now: float, peer: bytes, hello: WorkerHello) -> None:
        if hello.protocol != PROTOCOL:
            self._tell_worker(peer, Refused(_other_protocol(hello.protocol)))
            return
        worker = self._workers.get(hello.session)
        if worker is None:
            lost_at = now + self._rules.lease
            worker = Worker(hello.session, hello.name, peer, hello.capacity, now, lost_at)
            self._floor.add(worker)
            self._note("worker came", worker=hello.name, capacity=hello.capacity)
        else:
            self._workers.move(worker, peer)
            self._trust_again(now, worker)
            self._declare(worker, hello.capacity)
        self._tell_worker(peer, Welcome(self._epoch, self._rules.worker_beat, pool=self._pool))
        self._floor.beat(now, worker, set(hello.running))

    def _obey_worker(self, now: float, worker: Worker, message: FromWorker, body: bytes) -> None:
        match message:
            case WorkerBeat(running=running, capacity=capacity):
                self._declare(worker, capacity)
                self._floor.beat(now, worker, set(running))
            case Done():
                self._floor.done(now, worker, message, body)
            case Error():
                self._floor.error(now, worker, message)
            case Stopped():
                self._floor.stopped(now, worker, message)
            case WorkerBye():
                self._note("worker left", worker=worker.name, held=len(worker.held))
                self._floor.remove(now, worker, by_death=False)

    def _declare(self, worker: Worker, capacity: int) -> None:
        if capacity != worker.capacity:
            self._note("capacity changed", worker=worker.name, capacity=capacity)
        worker.capacity = capacity

    def _trust_again(self, now: float, worker: Worker) -> None:
        worker.heard_at, worker.lost_at = now, now + self._rules.lease
        worker.is_reachable = True

    def _lose_silent_workers(self, now: float) -> None:
        for worker in self._workers:
            if worker.lost_at <= now:
                self._note("worker lost", worker=worker.name, held=len(worker.held))
                self._book.counters.deaths += 1
                self._floor.remove(now, worker, by_death=True)

    # everyone

    def _forgive(self, stall: float) -> None:
        for worker in self._workers:
            worker.lost_at += stall
        for client in self._clients:
            client.heard_at += stall

    def _beat(self, now: float) -> None:
        self._beaten_at = now
        beat = BrokerBeat(self._epoch)
        for client in self._clients:
            self._tell_client(client.peer, beat)
        for worker in self._workers:
            self._tell_worker(worker.peer, beat)

    def status(self, now: float, number: int = 0) -> Status:
        """All at a glance."""
        return status_of(
            self._book,
            self._clients,
            number=number,
            pool=self._pool,
            epoch=self._epoch,
            started=self._started,
            now=now,
        )

    def _tell_client(
        self, peer: bytes, message: WhoAreYou | Refused | Welcome | Status | BrokerBeat
    ) -> None:
        self._book.effects.append(ToClient(peer, message))

    def _tell_worker(
        self, peer: bytes, message: WhoAreYou | Refused | Welcome | GroupEnded | BrokerBeat
    ) -> None:
        self._book.effects.append(ToWorker(peer, message))

    def _note(self, event: str, **facts: str | int) -> None:
        self._book.effects.append(LogEvent(event, facts))


def _other_protocol(theirs: int) -> str:
    return f"protocol {theirs} spoken where {PROTOCOL} is: upgrade the older side"
