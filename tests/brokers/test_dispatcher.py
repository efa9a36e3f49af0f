"""What a dispatcher promises, one sentence each. Time is a number, so no test waits."""

from rstar_async.wire.messages import (
    PROTOCOL,
    Accepted,
    Assign,
    Cancel,
    CancelRun,
    ClientBeat,
    ClientBye,
    ClientHello,
    Done,
    Failed,
    Finished,
    Got,
    GroupEnded,
    Refused,
    Stopped,
    Submit,
    Welcome,
    WhoAreYou,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
    job_id,
)
from tests.brokers.harness import TICK, A, B, C, Harness


def test_a_job_is_accepted_assigned_and_its_result_delivered():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A, group="tree"), b"question")
    pool.tick()
    assert pool.accepted() == [A]
    assert pool.sent_to(b"w1", Assign) == [Assign(A, 1, 600.0, "tree")]
    assert pool.bodies[b"w1", A] == b"question"
    pool.from_worker(b"w1", Done(A, 1), b"answer")
    assert [(m.job, m.worker) for m in pool.sent_to(b"c1", Finished)] == [(A, "w1")]
    assert pool.bodies[b"c1", A] == b"answer"


def test_a_job_waits_until_a_worker_joins():
    pool = Harness()
    pool.connect()
    pool.from_client(Submit(A))
    pool.add_worker(b"w1")
    assert pool.assigned(b"w1") == [A]


def test_no_worker_gets_more_than_its_capacity():
    pool = Harness()
    pool.connect(b"w1", capacity=2)
    for number in range(5):
        pool.from_client(Submit(job_id(number)))
    assert len(pool.assigned(b"w1")) == 2
    pool.from_worker(b"w1", Done(job_id(0), 1))
    assert len(pool.assigned(b"w1")) == 3


def test_higher_priority_goes_first_and_then_the_oldest():
    pool = Harness()
    pool.connect()
    for name, priority in (("a", 0), ("b", 0), ("c", 5)):
        pool.from_client(Submit(job_id("job", name), priority=priority))
    pool.add_worker(b"w1", capacity=3)
    assert pool.assigned(b"w1") == [C, A, B]


def test_the_same_affinity_goes_to_the_same_worker_while_it_has_room():
    pool = Harness()
    pool.connect(b"w1", b"w2", b"w3", capacity=10)
    for number in range(3):
        pool.from_client(Submit(job_id(number), affinity="tree 7"))
    assert sorted(len(pool.assigned(peer)) for peer in (b"w1", b"w2", b"w3")) == [0, 0, 3]


def test_the_affinity_of_a_worker_that_left_passes_to_another():
    pool = Harness()
    pool.connect(b"w1", b"w2", capacity=10)
    pool.from_client(Submit(A, affinity="tree 7"))
    (first,) = [peer for peer in (b"w1", b"w2") if pool.assigned(peer)]
    (other,) = {b"w1", b"w2"} - {first}
    pool.from_worker(first, WorkerBye())
    pool.from_client(Submit(B, affinity="tree 7"))
    assert pool.assigned(other) == [A, B]


def test_affinity_does_not_crowd_one_worker_while_others_idle():
    pool = Harness()
    pool.connect(b"w1", b"w2", capacity=10)
    for number in range(16):
        pool.from_client(Submit(job_id(number), affinity="tree 7"))
    assert min(len(pool.assigned(peer)) for peer in (b"w1", b"w2")) >= 5


def test_a_job_submitted_again_is_accepted_again_but_run_once():
    pool = Harness()
    pool.connect(b"w1", capacity=5)
    pool.from_client(Submit(A))
    pool.tick()
    pool.from_client(Submit(A))
    assert pool.accepted() == [A, A]
    assert pool.assigned(b"w1") == [A]


def test_jobs_that_go_on_are_accepted_together_and_one_that_ended_not_at_all():
    pool = Harness()
    pool.connect(b"w1", capacity=3)
    for job in (A, B, C):
        pool.from_client(Submit(job))
    pool.from_worker(b"w1", Done(B, 1))
    pool.tick()
    pool.tick()
    assert pool.sent_to(b"c1", Accepted) == [Accepted(A, [C])]


def test_one_message_acknowledges_many_results():
    pool = Harness()
    pool.connect(b"w1", capacity=3)
    for job in (A, B, C):
        pool.from_client(Submit(job))
        pool.from_worker(b"w1", Done(job, 1))
    assert pool.status().retained == 3
    pool.from_client(Got(A, others=[B, C]))
    assert pool.status().retained == 0


def test_a_result_is_kept_until_it_is_acknowledged():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", Done(A, 1), b"answer")
    pool.from_client(Submit(A))
    assert len(pool.sent_to(b"c1", Finished)) == 2
    assert pool.status().retained == 1
    pool.from_client(Got(A))
    assert pool.status().retained == 0


def test_a_lost_result_is_sent_again_to_a_client_that_still_waits():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", Done(A, 1))
    pool.now += 6
    pool.from_client(ClientBeat([A]))
    assert len(pool.sent_to(b"c1", Finished)) == 2


def test_a_result_that_no_client_fetches_is_dropped_after_a_while():
    pool = Harness(retained=20.0)
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", Done(A, 1))
    for _ in range(100):
        pool.now += TICK
        pool.from_client(ClientBeat([A]))
        pool.tick()
    assert pool.status().retained == 0


def test_clients_that_submit_the_same_job_share_its_run():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(ClientHello(PROTOCOL, "other", b"client-2"), peer=b"c2")
    pool.from_client(Submit(A))
    pool.from_client(Submit(A), peer=b"c2")
    pool.from_client(Cancel(job=A))
    assert pool.sent_to(b"w1", CancelRun) == []
    pool.from_worker(b"w1", Done(A, 1))
    assert pool.sent_to(b"c1", Finished) == []
    assert len(pool.sent_to(b"c2", Finished)) == 1


def test_the_window_bounds_a_client_without_losing_its_job():
    pool = Harness(window=1)
    pool.connect()
    pool.from_client(Submit(A))
    pool.from_client(Submit(B))
    pool.tick()
    assert pool.accepted() == [A]
    pool.from_client(Cancel(job=A))
    pool.from_client(Submit(B))
    pool.tick()
    assert pool.accepted() == [A, B]


# leases


def test_a_job_of_a_silent_worker_is_given_to_another():
    pool = Harness(lease=5.0)
    pool.connect(b"w1", b"w2")
    _, second = pool.submit_to_one_of(b"w1", b"w2")
    pool.pass_time(6, second)
    assert pool.sent_to(second, Assign) == [Assign(A, 2, 600.0)]


def test_a_beating_worker_keeps_its_job():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    first, second = pool.submit_to_one_of(b"w1", b"w2")
    pool.pass_time(60, first, second)
    assert len(pool.assigned(b"w1") + pool.assigned(b"w2")) == 1


def test_a_job_left_out_of_two_beats_is_given_out_again_without_suspicion():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", WorkerBeat([], 1))
    assert len(pool.assigned(b"w1")) == 1
    pool.from_worker(b"w1", WorkerBeat([], 1))
    assert len(pool.assigned(b"w1")) == 2
    assert pool.status().counters.deaths == 0


def test_a_broken_connection_shortens_the_lease_and_a_return_restores_it():
    pool = Harness(lease=20.0, reconnect=3.0)
    pool.connect(b"w1", capacity=4)
    pool.from_client(Submit(A))
    pool.dispatcher.lose_contact(pool.now, b"w1")
    pool.from_worker(b"w1-again", WorkerHello(PROTOCOL, "w1", b"w1".rjust(8), 4))
    pool.pass_time(4)
    assert pool.status().leased == 1
    pool.dispatcher.lose_contact(pool.now, b"w1-again")
    pool.pass_time(4)
    assert pool.status().workers == []
    assert pool.status().queued == 1


def test_the_first_result_wins_and_later_ones_are_counted():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    first, second = pool.submit_to_one_of(b"w1", b"w2")
    pool.pass_time(6, second)
    pool.from_worker(first, Done(A, 1), b"late but first")
    pool.from_worker(second, Done(A, 2), b"second")
    assert len(pool.sent_to(b"c1", Finished)) == 1
    assert pool.bodies[b"c1", A] == b"late but first"
    assert CancelRun(A) in pool.sent_to(second, CancelRun)
    assert pool.status().counters.duplicates == 1


def test_a_run_that_was_given_up_is_cancelled_when_it_appears_again():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    first, second = pool.submit_to_one_of(b"w1", b"w2")
    pool.pass_time(6, second)
    pool.add_worker(first)
    pool.from_worker(first, WorkerBeat([A], 1))
    assert CancelRun(A) in pool.sent_to(first, CancelRun)
    assert CancelRun(A) not in pool.sent_to(second, CancelRun)


def test_a_stall_of_the_broker_itself_costs_no_worker_its_lease():
    pool = Harness(lease=5.0)
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.now += 60
    pool.tick()
    pool.from_worker(b"w1", WorkerBeat([A], 1))
    pool.pass_time(2)
    assert pool.status().counters.deaths == 0


def test_an_overdue_job_expires_even_though_its_worker_beats():
    pool = Harness(deadline_grace=5.0)
    pool.connect(b"w1")
    pool.from_client(Submit(A, deadline=10.0))
    pool.pass_time(14, b"w1")
    assert pool.sent_to(b"c1", Failed) == []
    pool.pass_time(2, b"w1")
    (failed,) = pool.sent_to(b"c1", Failed)
    assert failed.kind == "expired"
    assert CancelRun(A) in pool.sent_to(b"w1", CancelRun)


def test_a_worker_that_stops_a_job_at_its_deadline_ends_it():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A, deadline=10.0))
    pool.from_worker(b"w1", Stopped(A, 1, "deadline"))
    assert [m.kind for m in pool.sent_to(b"c1", Failed)] == ["expired"]


# cancelling


def test_a_queued_job_that_is_cancelled_is_never_run():
    pool = Harness()
    pool.connect()
    pool.from_client(Submit(A))
    pool.from_client(Cancel(job=A))
    pool.add_worker(b"w1")
    assert pool.assigned(b"w1") == []


def test_a_cancelled_run_keeps_its_slot_until_it_has_stopped():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_client(Submit(B))
    pool.from_client(Cancel(job=A))
    assert pool.sent_to(b"w1", CancelRun) == [CancelRun(A)]
    assert pool.assigned(b"w1") == [A]
    pool.from_worker(b"w1", Stopped(A, 1, "cancelled"))
    assert pool.assigned(b"w1") == [A, B]


def test_cancelled_jobs_leave_no_memory_behind():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A, priority=1))
    for number in range(5000):
        pool.from_client(Submit(job_id(number)))
        pool.from_client(Cancel(job=job_id(number)))
    assert pool.status().queued == 0
    assert len(pool.dispatcher._state.jobs) == 1


def test_a_lost_cancel_is_sent_again_when_a_beat_names_the_job():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_client(Cancel(job=A))
    pool.from_worker(b"w1", WorkerBeat([A], 1))
    assert len(pool.sent_to(b"w1", CancelRun)) == 2


def test_a_job_submitted_again_is_not_given_to_the_worker_that_still_stops_it():
    pool = Harness()
    pool.connect(b"w1", capacity=2)
    pool.from_client(Submit(A))
    pool.from_client(Cancel(job=A))
    pool.from_client(Submit(A))
    assert pool.assigned(b"w1") == [A]
    pool.from_worker(b"w1", Stopped(A, 1, "cancelled"))
    assert pool.assigned(b"w1") == [A, A]


def test_cancelling_a_group_cancels_its_jobs_and_tells_the_workers():
    pool = Harness()
    pool.connect(b"w1", b"w2")
    pool.from_client(Submit(A, group="tree"))
    pool.from_client(Submit(B, group="other"))
    pool.from_client(Cancel(group="tree"))
    assert pool.status().leased == 1
    for peer in (b"w1", b"w2"):
        assert pool.sent_to(peer, GroupEnded) == [GroupEnded("tree")]


def test_jobs_of_a_client_that_left_or_went_silent_are_cancelled():
    for leave in (True, False):
        pool = Harness(client_gone=30.0)
        pool.connect(b"w1")
        pool.from_client(Submit(A))
        pool.from_client(ClientHello(PROTOCOL, "other", b"client-2"), peer=b"c2")
        pool.from_client(Submit(B), peer=b"c2")
        if leave:
            pool.from_client(ClientBye(), peer=b"c2")
        else:
            pool.pass_time(31, b"w1")
        assert pool.status().queued == 0
        assert pool.status().leased == 1


def test_a_lost_cancel_is_made_up_for_by_the_clients_beat():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_client(ClientBeat([]))
    assert pool.sent_to(b"w1", CancelRun) == [CancelRun(A)]


# draining, restarts, unknown peers


def test_capacity_zero_drains_a_worker():
    pool = Harness()
    pool.connect(b"w1", capacity=2)
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", WorkerBeat([A], 0))
    pool.from_client(Submit(B))
    assert pool.assigned(b"w1") == [A]


def test_jobs_of_a_worker_that_leaves_are_requeued_without_suspicion():
    pool = Harness()
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", WorkerBye())
    assert pool.status().queued == 1
    assert pool.status().suspects == 0


def test_after_a_restart_a_running_job_is_adopted_and_not_run_twice():
    pool = Harness()
    pool.add_worker(b"w1", capacity=3)
    pool.from_worker(b"w1", WorkerBeat([A], 3))
    pool.connect()
    pool.from_client(Submit(A))
    assert pool.assigned(b"w1") == []
    pool.from_worker(b"w1", Done(A, 1), b"answer")
    assert pool.bodies[b"c1", A] == b"answer"


def test_after_a_restart_an_orphaned_run_ends_with_its_worker():
    pool = Harness()
    pool.add_worker(b"w1")
    pool.from_worker(b"w1", WorkerBeat([A], 1))
    pool.from_worker(b"w1", WorkerBye())
    pool.connect(b"w2")
    pool.from_client(Submit(A))
    assert pool.assigned(b"w2") == [A]


def test_a_worker_that_comes_back_is_not_given_what_it_already_runs():
    pool = Harness()
    pool.connect()
    pool.from_client(Submit(A))
    pool.from_worker(b"w1", WorkerHello(PROTOCOL, "w1", b"session1", 2, [A]))
    assert pool.assigned(b"w1") == []
    assert pool.status().leased == 1


def test_after_a_restart_a_result_waits_for_its_submit():
    pool = Harness()
    pool.add_worker(b"w1")
    pool.from_worker(b"w1", Done(A, 1), b"answer")
    pool.connect()
    pool.from_client(Submit(A))
    assert pool.bodies[b"c1", A] == b"answer"


def test_an_orphaned_run_that_no_client_submits_is_cancelled_after_a_while():
    pool = Harness(unclaimed=30.0)
    pool.connect(b"w1")
    pool.running[b"w1"] = {A}
    pool.from_worker(b"w1", WorkerBeat([A], 1))
    pool.pass_time(28, b"w1")
    assert pool.sent_to(b"w1", CancelRun) == []
    pool.pass_time(4, b"w1")
    assert CancelRun(A) in pool.sent_to(b"w1", CancelRun)


def test_unknown_peers_must_say_hello_but_their_results_count():
    pool = Harness()
    pool.from_client(Submit(A), peer=b"stranger")
    assert pool.sent_to(b"stranger", WhoAreYou)
    pool.connect(b"w1")
    pool.from_client(Submit(A))
    pool.from_worker(b"unknown", Done(A, 1), b"answer")
    assert pool.sent_to(b"unknown", WhoAreYou)
    assert pool.bodies[b"c1", A] == b"answer"


def test_another_protocol_is_refused_with_a_reason():
    pool = Harness()
    pool.from_client(ClientHello(PROTOCOL + 1, "new", b"client-9"), peer=b"c9")
    pool.from_worker(b"w9", WorkerHello(PROTOCOL + 1, "new", b"worker-9", 1))
    for peer in (b"c9", b"w9"):
        (refused,) = pool.sent_to(peer, Refused)
        assert "protocol" in refused.reason
        assert not pool.sent_to(peer, Welcome)


def test_thousands_of_waiting_jobs_do_not_slow_each_other_down():
    pool = Harness(window=20_000)
    pool.connect(b"w1", b"w2", capacity=10)
    for number in range(10_000):
        pool.from_client(Submit(job_id(number), affinity=str(number % 50)))
    while any(pool.running.values()):
        for peer in (b"w1", b"w2"):
            for job in list(pool.running[peer]):
                pool.from_worker(peer, Done(job, 1))
    assert len(pool.sent_to(b"c1", Finished)) == 10_000
