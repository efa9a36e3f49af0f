"""Errors, workers that die, and jobs that kill them."""

from rstar_async.wire.messages import (
    Done,
    Error,
    Failed,
    Finished,
    Submit,
    WorkerBye,
    job_id,
)
from tests.brokers.harness import A, B, C, Harness


def test_a_retryable_error_is_retried_after_a_pause_and_at_most_three_times():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    for attempt in range(1, 5):
        assert len(pool.assigned(b"w1")) == attempt
        pool.from_worker(b"w1", Error(A, attempt, retryable=True, detail="busy"))
        assert len(pool.assigned(b"w1")) == attempt  # not at once
        pool.pass_time(6, b"w1")
    assert [(m.kind, m.detail) for m in pool.sent_to(b"c1", Failed)] == [("error", "busy")]
    assert pool.status().counters.retries == 3


def test_an_error_that_is_not_retryable_ends_the_job():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", Error(A, 1, retryable=False, detail="no such model"))
    assert pool.sent_to(b"c1", Failed) == [Failed(A, "error", "no such model")]


def test_a_job_that_kills_three_workers_fails_and_becomes_a_dead_letter():
    pool = Harness()
    pool.connect()
    pool.from_client(Submit(A, group="tree"), b"poison")
    for number in range(3):
        pool.add_worker(b"w%d" % number)
        pool.kill_worker(b"w%d" % number)
    assert [m.kind for m in pool.sent_to(b"c1", Failed)] == ["dead"]
    (letter,) = pool.dead_letters
    assert (letter.submit.job, letter.body, letter.deaths) == (A, b"poison", 3)


def test_suspects_of_one_death_share_a_worker_with_suspects_only():
    pool = Harness()
    pool.connect(b"w1", capacity=100)
    for number in range(20):
        pool.from_client(Submit(job_id(number)))
    pool.kill_worker(b"w1")
    pool.from_client(Submit(A))
    pool.add_worker(b"w2", capacity=100)
    assert len(pool.assigned(b"w2")) == 8
    assert A not in pool.assigned(b"w2")


def test_a_suspect_of_two_deaths_runs_alone():
    pool = Harness()
    pool.connect(b"w1", capacity=100)
    for number in range(3):
        pool.from_client(Submit(job_id(number)))
    pool.kill_worker(b"w1")
    pool.add_worker(b"w2", capacity=100)
    pool.kill_worker(b"w2")
    pool.from_client(Submit(A))
    pool.add_worker(b"w3", capacity=100)
    assert pool.assigned(b"w3") == [job_id(0)]


def test_a_job_is_not_blamed_for_deaths_while_it_shared_the_worker():
    pool = Harness()
    pool.connect()
    for number in range(2):
        pool.from_client(Submit(job_id(number)))
    for life in range(2):  # two deaths of both, together
        pool.add_worker(b"w%d" % life, capacity=2)
        pool.kill_worker(b"w%d" % life)
    pool.add_worker(b"w2")
    pool.kill_worker(b"w2")  # the third death, and the first alone
    assert pool.sent_to(b"c1", Failed) == []
    for life in range(3, 5):
        pool.add_worker(b"w%d" % life)
        pool.kill_worker(b"w%d" % life)
    assert [m.job for m in pool.sent_to(b"c1", Failed)] == [job_id(0)]


def test_all_jobs_that_shared_a_worker_with_a_poison_job_finish():
    pool = Harness()
    pool.connect()
    jobs = [job_id(number) for number in range(40)]
    for job in jobs:
        pool.from_client(Submit(job))
    for life in range(200):
        peer = b"w%d" % life
        pool.add_worker(peer, capacity=16)
        if jobs[7] in pool.assigned(peer):
            pool.kill_worker(peer)
            continue
        for job in pool.assigned(peer):
            pool.from_worker(peer, Done(job, 1))
        pool.from_worker(peer, WorkerBye())
        if not pool.waiting():
            break
    assert pool.sent_to(b"c1", Failed)[0].job == jobs[7]
    assert len(pool.sent_to(b"c1", Finished)) == 39


def test_a_busy_worker_is_drained_for_a_suspect_that_would_wait_forever():
    pool = Harness()
    pool.connect(b"w0")
    pool.from_client(Submit(A))
    pool.kill_worker(b"w0")
    pool.add_worker(b"w1", capacity=2)
    pool.from_worker(b"w1", Error(A, 1, retryable=True))  # A rests meanwhile
    pool.from_client(Submit(B))
    pool.from_client(Submit(C))
    pool.now += 2
    pool.tick()
    pool.tick()
    pool.from_client(Submit(job_id("more")))
    pool.from_worker(b"w1", Done(B, 1))
    assert pool.assigned(b"w1")[-1] == C
    pool.from_worker(b"w1", Done(C, 1))
    assert pool.assigned(b"w1")[-1] == A
