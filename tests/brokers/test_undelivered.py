"""Assignments that never left the broker: the job is innocent, and the worker gets no more."""

import random

from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, ToClient, ToWorker
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    ClientHello,
    Failed,
    FromClient,
    Submit,
    WorkerBeat,
    WorkerHello,
    job_id,
)

JOB = job_id("job")


class Post:
    """A ledger whose words to some workers cannot be sent."""

    def __init__(self, *workers: bytes) -> None:
        self.now, self.cut_off = 1000.0, set[bytes]()
        self.ledger = Dispatcher("test", b"epoch..1", self.now, rng=random.Random(0))
        self.delivered: list[tuple[bytes, Assign]] = []
        self.failed: list[Failed] = []
        self.hear(ClientHello(PROTOCOL, "c", b"c" * 8))
        for worker in workers:
            self.hire(worker)

    def hire(self, peer: bytes) -> None:
        hello = WorkerHello(PROTOCOL, peer.decode(), peer * 8, 1)
        self.perform(self.ledger.handle_worker(self.now, peer, hello, b""))

    def hear(self, message: FromClient) -> None:
        self.perform(self.ledger.handle_client(self.now, b"c", message, b""))

    def submit(self) -> None:
        self.hear(Submit(JOB))

    def tick(self) -> None:
        self.now += 0.25
        self.perform(self.ledger.tick(self.now))

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToWorker(peer, message) if peer in self.cut_off:
                    self.ledger.lose_contact(self.now, peer, message)
                case ToWorker(peer, Assign() as assign):
                    self.delivered.append((peer, assign))
                case ToClient(message=Failed() as failed):
                    self.failed.append(failed)


def test_a_job_that_could_not_be_sent_goes_to_another_worker_at_once():
    post = Post(b"1", b"2")
    post.cut_off = {b"1", b"2"}
    post.submit()
    post.tick()
    post.hire(b"3")
    post.tick()
    assert [peer for peer, _ in post.delivered] == [b"3"]


def test_a_job_that_could_not_be_sent_is_never_suspected_whatever_dies():
    post = Post()
    post.submit()
    for number in range(5):
        post.cut_off.add(b"%d" % number)
        post.hire(b"%d" % number)
        for _ in range(20):
            post.tick()
    assert post.failed == []
    post.hire(b"a")
    assert [peer for peer, _ in post.delivered] == [b"a"]


def test_a_worker_out_of_reach_gets_work_again_once_it_is_heard():
    post = Post(b"1")
    post.cut_off = {b"1"}
    post.submit()
    assert post.delivered == []
    post.cut_off.clear()
    post.tick()
    assert post.delivered == []
    post.perform(post.ledger.handle_worker(post.now, b"1", WorkerBeat([], 1), b""))
    assert [peer for peer, _ in post.delivered] == [b"1"]
