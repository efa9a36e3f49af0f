"""What a broker does about workers that do their jobs wrongly."""

import pytest

from brokers.standing import Standings
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    CancelRun,
    Done,
    Error,
    Failed,
    Finished,
    Got,
    Stopped,
    StopReason,
    Submit,
    WorkerBeat,
    WorkerHello,
    job_id,
)
from tests.brokers.harness import CLIENT, A, B, Harness

JOBS = [job_id("standing", number) for number in range(20)]


def refuse(pool: Harness, job: bytes, *, blame: bool = True) -> None:
    """Refuse the job's newest result."""
    attempt = [m.attempt for m in pool.sent_to(CLIENT, Finished) if m.job == job][-1]
    pool.from_client(Got(job, attempt, "nonsense", blame))


def answer(pool: Harness, worker: bytes, job: bytes, *, good: bool) -> None:
    pool.from_worker(worker, Done(job, 1), b"result")
    if good:
        pool.from_client(Got(job))
    else:
        refuse(pool, job)


def worker_in(pool: Harness, name: str):
    return next(worker for worker in pool.status().workers if worker.name == name)


def quarantined(pool: Harness, *jobs: bytes) -> None:
    """Have w1, which is alone, do three jobs wrongly."""
    pool.connect(b"w1", capacity=8)
    for job in jobs or JOBS[:3]:
        pool.from_client(Submit(job))
        answer(pool, b"w1", job, good=False)


def test_a_refused_result_is_done_again_by_another_worker_with_the_same_body():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A), b"question")
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    answer(pool, first, A, good=False)
    assert pool.assigned(second) == [A]
    assert pool.bodies[second, A] == b"question"
    answer(pool, second, A, good=True)
    assert pool.sent_to(CLIENT, Failed) == []
    assert pool.status().counters.rejected == 1
    assert worker_in(pool, first.decode()).faults == 1


def test_the_only_worker_gets_a_refused_job_again_after_a_pause():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    answer(pool, b"w1", A, good=False)
    assert len(pool.assigned(b"w1")) == 1
    pool.pass_time(3, b"w1")
    assert len(pool.assigned(b"w1")) == 2


def test_a_job_whose_results_are_always_refused_fails_and_says_why_and_no_worker_is_blamed():
    pool = Harness(rejections=3)
    pool.connect(b"w1", b"w2", b"w3")  # a fourth one would be tried as well
    pool.from_client(Submit(A))
    for _ in range(3):
        (worker,) = [w for w in (b"w1", b"w2", b"w3") if A in pool.running.get(w, ())]
        answer(pool, worker, A, good=False)
    (failed,) = pool.sent_to(CLIENT, Failed)
    assert failed.kind == "error"
    assert "3 results were refused" in failed.detail
    assert failed.detail.endswith("nonsense")
    assert [worker.faults for worker in pool.status().workers] == [0, 0, 0]


def test_a_late_result_of_a_worker_that_was_refused_does_not_count():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    answer(pool, b"w1", A, good=False)
    pool.from_worker(b"w1", Done(A, 1), b"again")
    pool.from_worker(b"stranger", Done(A, 1), b"again")
    assert len(pool.sent_to(CLIENT, Finished)) == 1


def test_a_result_refused_twice_by_the_same_words_is_done_again_once():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A))
    answer(pool, b"w1" if pool.assigned(b"w1") else b"w2", A, good=False)
    refuse(pool, A)
    assert pool.status().counters.rejected == 1


@pytest.mark.parametrize(("others_failed", "faults"), [(False, 0), (True, 1)])
def test_a_doubtful_result_is_blamed_only_if_another_worker_says_otherwise(others_failed, faults):
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.from_worker(first, Done(A, 1), b"result")
    refuse(pool, A, blame=False)
    assert worker_in(pool, first.decode()).faults == 0
    pool.from_worker(second, Done(A, 2), b"result")
    pool.from_client(Got(A, blame=others_failed))
    assert worker_in(pool, first.decode()).faults == faults
    assert worker_in(pool, second.decode()).faults == 0


def test_a_worker_with_three_faults_gets_no_jobs_and_those_it_has_go_to_others():
    pool = Harness()
    pool.connect(b"w1", capacity=8)
    for job in JOBS[:4]:
        pool.from_client(Submit(job))
    pool.add_worker(b"w2", capacity=8)
    for job in JOBS[:3]:
        answer(pool, b"w1", job, good=False)
    status = worker_in(pool, "w1")
    assert (status.faults, status.quarantine_seconds) == (3, 60.0)
    assert pool.sent_to(b"w1", CancelRun) == [CancelRun(JOBS[3])]
    assert sorted(pool.assigned(b"w2")) == sorted(JOBS[:4])
    pool.from_client(Submit(A))
    assert A in pool.assigned(b"w2")
    assert pool.status().counters.quarantines == 1


def test_a_quarantine_belongs_to_the_name_and_outlives_the_connection():
    pool = Harness()
    quarantined(pool)
    pool.from_worker(b"w9", WorkerHello(PROTOCOL, "w1", b"another.", 8))
    before = len(pool.assigned(b"w9"))
    pool.from_client(Submit(A))
    assert len(pool.assigned(b"w9")) == before == 0


def test_after_a_quarantine_one_job_at_a_time_until_a_result_is_accepted():
    pool = Harness()
    quarantined(pool)
    pool.from_client(Submit(A))
    pool.from_client(Submit(B))
    pool.pass_time(59, b"w1")
    assert len(pool.running[b"w1"]) == 0
    pool.pass_time(3, b"w1")
    (job,) = pool.running[b"w1"]
    pool.from_worker(b"w1", WorkerBeat([job], 8))
    assert len(pool.running[b"w1"]) == 1
    answer(pool, b"w1", job, good=True)
    assert len(pool.running[b"w1"]) == 4
    assert worker_in(pool, "w1").faults == 0


def test_a_fault_on_probation_quarantines_again_for_twice_as_long():
    pool = Harness()
    quarantined(pool)
    pool.pass_time(62, b"w1")
    (job,) = pool.running[b"w1"]
    answer(pool, b"w1", job, good=False)
    assert worker_in(pool, "w1").quarantine_seconds == 120.0


def test_faults_far_apart_quarantine_nobody():
    standings = Standings(faults=3, kept=600.0, quarantine=60.0, longest=3600.0)
    for number in range(10):
        list(standings.pass_time(400.0 * number))
        assert not standings.blame(400.0 * number, "w", job_id(number))


def test_a_worker_is_blamed_for_what_it_refuses_and_another_can_do():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.from_worker(first, Error(A, 1, retryable=False, detail="no such model"))
    assert pool.assigned(second) == [A]
    assert worker_in(pool, first.decode()).faults == 0
    answer(pool, second, A, good=True)
    assert worker_in(pool, first.decode()).faults == 1


def test_a_job_that_three_workers_refuse_fails_and_none_is_blamed():
    pool = Harness()
    workers = (b"w1", b"w2", b"w3", b"w4")
    pool.connect(*workers)
    pool.from_client(Submit(A))
    for _ in range(3):
        (worker,) = [w for w in workers if A in pool.running.get(w, ())]
        pool.from_worker(worker, Error(A, 1, retryable=False, detail="no such model"))
    assert pool.sent_to(CLIENT, Failed) == [Failed(A, "error", "no such model")]
    assert not any(worker.faults for worker in pool.status().workers)


def test_a_doubtful_result_is_no_failure_of_the_job():
    pool = Harness(elsewhere=2)
    pool.connect(b"w1", b"w2", b"w3")
    pool.from_client(Submit(A))
    for number in range(3):
        (worker,) = [w for w in (b"w1", b"w2", b"w3") if A in pool.running.get(w, ())]
        if number == 1:
            pool.from_worker(worker, Error(A, 1, retryable=False, detail="no such model"))
        else:
            pool.from_worker(worker, Done(A, 1), b"result")
        if number == 0:
            refuse(pool, A, blame=False)
    pool.from_client(Got(A))
    assert pool.sent_to(CLIENT, Failed) == []
    assert sorted(worker.faults for worker in pool.status().workers) == [0, 1, 1]


def test_a_worker_that_is_always_busy_does_not_keep_the_job():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A, group="tree", affinity="tree"))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.from_worker(first, Error(A, 1, retryable=True, detail="busy"))
    pool.pass_time(3, b"w1", b"w2")
    assert pool.assigned(second) == [A]


@pytest.mark.parametrize("reason", ["cancelled", "draining", "deadline"])
def test_a_job_that_its_worker_stops_goes_to_another(reason: StopReason):
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A, affinity="tree"))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.from_worker(first, Stopped(A, 1, reason))
    assert pool.assigned(second) == [A]
    assert pool.assigned(first) == [A]


def test_a_worker_that_stops_the_same_job_at_once_gets_it_again_at_leisure():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    for _ in range(50):
        if A in pool.running[b"w1"]:
            pool.from_worker(b"w1", Stopped(A, 1, "cancelled"))
    assert len(pool.sent_to(b"w1", Assign)) == 2


def test_a_job_whose_worker_is_overdue_goes_to_another_and_the_run_is_cancelled():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A, deadline=2.0))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.pass_time(8, b"w1", b"w2")
    assert pool.assigned(second) == [A]
    assert CancelRun(A) in pool.sent_to(first, CancelRun)


def test_a_worker_that_leaves_its_job_out_of_its_beats_does_not_get_it_again_beside_another():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A, affinity="tree"))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    for _ in range(2):
        pool.from_worker(first, WorkerBeat([], 1))
    assert pool.assigned(second) == [A]


def test_a_worker_that_sends_no_messages_but_noise_loses_its_jobs_at_once():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A))
    first, second = (b"w1", b"w2") if pool.assigned(b"w1") else (b"w2", b"w1")
    pool.dispatcher.refuse_worker(pool.now, first)
    pool.tick()
    assert pool.assigned(second) == [A]
    assert [worker.name for worker in pool.status().workers] == [second.decode()]
    assert pool.status().counters.malformed == 1
