"""Assignments that could not be sent: the job is not suspected, and the worker gets no more."""

from rstar_async.wire.messages import Assign, Failed, Submit, WorkerBeat
from tests.brokers.harness import CLIENT, A, Harness


def pool_with(*workers: bytes, cut_off: set[bytes]) -> Harness:
    pool = Harness()
    pool.connect(*workers)
    pool.cut_off = cut_off
    pool.from_client(Submit(A))
    return pool


def test_a_job_that_could_not_be_sent_goes_to_another_worker_at_once():
    pool = pool_with(b"1", b"2", cut_off={b"1", b"2"})
    pool.pass_time(0.25)
    pool.add_worker(b"3")
    pool.pass_time(0.25)
    assert [message.job for message in pool.sent_to(b"3", Assign)] == [A]
    assert not pool.assigned(b"1") + pool.assigned(b"2")


def test_a_job_that_could_not_be_sent_is_never_suspected_even_if_the_worker_dies():
    pool = pool_with(cut_off={b"%d" % number for number in range(5)})
    for number in range(5):
        pool.add_worker(b"%d" % number)
        pool.pass_time(5)
    assert pool.sent_to(CLIENT, Failed) == []
    pool.add_worker(b"a")
    assert pool.assigned(b"a") == [A]


def test_an_unreachable_worker_gets_work_again_once_it_is_heard():
    pool = pool_with(b"1", cut_off={b"1"})
    assert pool.assigned(b"1") == []
    pool.cut_off.clear()
    pool.pass_time(0.25)
    assert pool.assigned(b"1") == []
    pool.from_worker(b"1", WorkerBeat([], 1))
    assert pool.assigned(b"1") == [A]
