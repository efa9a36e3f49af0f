"""The ledger's promises, one sentence each. Time is a number; nobody waits."""

import random

from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, ToClient, ToWorker, WriteDeadLetter
from brokers.state import BrokerConfig
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
    Error,
    Failed,
    Finished,
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
    job_id,
)

TICK = 0.25


class Table:
    """A ledger with people around it: keeps the time and what each peer was told."""

    def __init__(self, **rules: float) -> None:
        self.now = 1000.0
        self.ledger = Dispatcher(
            "test", b"epoch..1", self.now, BrokerConfig(**rules), random.Random(0)
        )
        self.letters: list[WriteDeadLetter] = []
        self.told: dict[bytes, list[Header]] = {}
        self.bodies: dict[tuple[bytes, bytes], bytes | None] = {}
        self.running: dict[bytes, set[bytes]] = {}

    def client(self, message: FromClient, body: bytes = b"", peer: bytes = b"c1") -> None:
        self._take(self.ledger.handle_client(self.now, peer, message, body))

    def worker(self, peer: bytes, message: FromWorker, body: bytes = b"") -> None:
        if isinstance(message, Done | Error | Stopped):
            self.running.get(peer, set()).discard(message.job)
        self._take(self.ledger.handle_worker(self.now, peer, message, body))

    def meet(self, *workers: bytes, capacity: int = 1) -> None:
        self.client(ClientHello(PROTOCOL, "client", b"client-1"))
        for peer in workers:
            self.hire(peer, capacity)

    def hire(self, peer: bytes, capacity: int = 1) -> None:
        self.worker(peer, WorkerHello(PROTOCOL, peer.decode(), peer.rjust(8), capacity))

    def pass_time(self, seconds: float, *beating: bytes) -> None:
        """Let time go by; the workers in `beating` and the client beat, and tell the truth."""
        for step in range(1, int(seconds / TICK) + 1):
            self.now += TICK
            if step % 4 == 0:
                for peer in beating:
                    self.worker(peer, WorkerBeat(list(self.running.get(peer, ())), 1))
                self.client(ClientBeat(list(self.waiting())))
            self._take(self.ledger.tick(self.now))

    def lend_to_one_of(self, first: bytes, second: bytes) -> tuple[bytes, bytes]:
        """Submit A; return who got it and who did not."""
        self.client(Submit(A))
        return (first, second) if self.assigned(first) else (second, first)

    def status(self) -> Status:
        self.client(StatusAsk(7))
        return self.heard(b"c1", Status)[-1]

    def waiting(self) -> set[bytes]:
        accepted = {m.job for m in self.heard(b"c1", Accepted)}
        return accepted - {m.job for m in self.heard(b"c1", Finished, Failed)}

    def heard(self, peer: bytes, *kinds: type) -> list:
        return [m for m in self.told.get(peer, []) if isinstance(m, kinds)]

    def assigned(self, peer: bytes) -> list[bytes]:
        return [message.job for message in self.heard(peer, Assign)]

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(peer, message, body) | ToWorker(peer, message, body):
                    self.told.setdefault(peer, []).append(message)
                    if isinstance(message, Assign | Finished):
                        self.bodies[peer, message.job] = body
                    if isinstance(message, Assign):
                        self.running.setdefault(peer, set()).add(message.job)
                case WriteDeadLetter():
                    self.letters.append(effect)


A, B, C = (job_id("job", name) for name in "abc")


def test_a_job_is_accepted_assigned_and_its_result_comes_home():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A, group="tree"), b"question")
    assert table.heard(b"c1", Accepted) == [Accepted(A)]
    assert table.heard(b"w1", Assign) == [Assign(A, 1, 600.0, "tree")]
    assert table.bodies[b"w1", A] == b"question"
    table.worker(b"w1", Done(A, 1), b"answer")
    assert [(m.job, m.worker) for m in table.heard(b"c1", Finished)] == [(A, "w1")]
    assert table.bodies[b"c1", A] == b"answer"


def test_a_job_waits_for_a_worker_to_come():
    table = Table()
    table.meet()
    table.client(Submit(A))
    table.hire(b"w1")
    assert table.assigned(b"w1") == [A]


def test_no_worker_gets_more_than_its_capacity():
    table = Table()
    table.meet(b"w1", capacity=2)
    for number in range(5):
        table.client(Submit(job_id(number)))
    assert len(table.assigned(b"w1")) == 2
    table.worker(b"w1", Done(job_id(0), 1))
    assert len(table.assigned(b"w1")) == 3


def test_higher_priority_goes_first_and_then_the_oldest():
    table = Table()
    table.meet()
    for name, priority in (("a", 0), ("b", 0), ("c", 5)):
        table.client(Submit(job_id("job", name), priority=priority))
    table.hire(b"w1", capacity=3)
    assert table.assigned(b"w1") == [C, A, B]


def test_the_same_affinity_goes_to_the_same_worker_while_it_has_room():
    table = Table()
    table.meet(b"w1", b"w2", b"w3", capacity=10)
    for number in range(3):
        table.client(Submit(job_id(number), affinity="tree 7"))
    assert sorted(len(table.assigned(peer)) for peer in (b"w1", b"w2", b"w3")) == [0, 0, 3]


def test_the_affinity_of_a_worker_that_left_passes_to_another():
    table = Table()
    table.meet(b"w1", b"w2", capacity=10)
    table.client(Submit(A, affinity="tree 7"))
    (first,) = [peer for peer in (b"w1", b"w2") if table.assigned(peer)]
    (other,) = {b"w1", b"w2"} - {first}
    table.worker(first, WorkerBye())
    table.client(Submit(B, affinity="tree 7"))
    assert table.assigned(other) == [A, B]


def test_affinity_does_not_crowd_one_worker_while_others_idle():
    table = Table()
    table.meet(b"w1", b"w2", capacity=10)
    for number in range(16):
        table.client(Submit(job_id(number), affinity="tree 7"))
    assert min(len(table.assigned(peer)) for peer in (b"w1", b"w2")) >= 5


def test_a_job_submitted_again_is_accepted_again_but_run_once():
    table = Table()
    table.meet(b"w1", capacity=5)
    table.client(Submit(A))
    table.client(Submit(A))
    assert len(table.heard(b"c1", Accepted)) == 2
    assert table.assigned(b"w1") == [A]


def test_a_result_is_kept_until_it_is_acknowledged():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", Done(A, 1), b"answer")
    table.client(Submit(A))
    assert len(table.heard(b"c1", Finished)) == 2
    assert table.status().retained == 1
    table.client(Got(A))
    assert table.status().retained == 0


def test_a_result_that_got_lost_is_told_again_to_a_client_that_still_waits():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", Done(A, 1))
    table.now += 6
    table.client(ClientBeat([A]))
    assert len(table.heard(b"c1", Finished)) == 2


def test_a_result_nobody_fetches_is_forgotten_after_a_while():
    table = Table(retained=20.0)
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", Done(A, 1))
    table.told[b"c1"] = [Accepted(A)]  # so that it keeps waiting in its beats
    for _ in range(100):
        table.now += TICK
        table.client(ClientBeat([A]))
        table.ledger.tick(table.now)
    assert table.status().retained == 0


def test_two_clients_may_want_the_same_job_and_both_are_told():
    table = Table()
    table.meet(b"w1")
    table.client(ClientHello(PROTOCOL, "other", b"client-2"), peer=b"c2")
    table.client(Submit(A))
    table.client(Submit(A), peer=b"c2")
    table.client(Cancel(job=A))  # the first no longer cares
    assert table.heard(b"w1", CancelRun) == []
    table.worker(b"w1", Done(A, 1))
    assert table.heard(b"c1", Finished) == []
    assert len(table.heard(b"c2", Finished)) == 1


def test_the_window_bounds_a_client_without_losing_its_job():
    table = Table(window=1)
    table.meet()
    table.client(Submit(A))
    table.client(Submit(B))
    assert table.heard(b"c1", Accepted) == [Accepted(A)]
    table.client(Cancel(job=A))
    table.client(Submit(B))
    assert Accepted(B) in table.heard(b"c1", Accepted)


# leases


def test_a_job_of_a_silent_worker_is_given_to_another():
    table = Table(lease=5.0)
    table.meet(b"w1", b"w2")
    _, second = table.lend_to_one_of(b"w1", b"w2")
    table.pass_time(6, second)
    assert table.heard(second, Assign) == [Assign(A, 2, 600.0)]


def test_a_beating_worker_keeps_its_job():
    table = Table()
    table.meet(b"w1", b"w2")
    first, second = table.lend_to_one_of(b"w1", b"w2")
    table.pass_time(60, first, second)
    assert len(table.assigned(b"w1") + table.assigned(b"w2")) == 1


def test_a_job_left_out_of_two_beats_is_given_out_again_without_suspicion():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", WorkerBeat([], 1))
    assert len(table.assigned(b"w1")) == 1
    table.worker(b"w1", WorkerBeat([], 1))
    assert len(table.assigned(b"w1")) == 2
    assert table.status().counters.deaths == 0


def test_a_broken_connection_shortens_the_lease_and_a_return_restores_it():
    table = Table(lease=20.0, reconnect=3.0)
    table.meet(b"w1", capacity=4)
    table.client(Submit(A))
    table.ledger.lose_contact(table.now, b"w1")
    table.worker(b"w1-again", WorkerHello(PROTOCOL, "w1", b"w1".rjust(8), 4))
    table.pass_time(4)
    assert table.status().leased == 1
    table.ledger.lose_contact(table.now, b"w1-again")
    table.pass_time(4)
    assert table.status().workers == []
    assert table.status().queued == 1


def test_the_first_result_wins_and_later_ones_are_counted():
    table = Table()
    table.meet(b"w1", b"w2")
    first, second = table.lend_to_one_of(b"w1", b"w2")
    table.pass_time(6, second)
    table.worker(first, Done(A, 1), b"late but first")
    table.worker(second, Done(A, 2), b"second")
    assert len(table.heard(b"c1", Finished)) == 1
    assert table.bodies[b"c1", A] == b"late but first"
    assert CancelRun(A) in table.heard(second, CancelRun)
    assert table.status().counters.duplicates == 1


def test_a_run_that_was_given_up_is_cancelled_when_it_shows_up_again():
    table = Table()
    table.meet(b"w1", b"w2")
    first, second = table.lend_to_one_of(b"w1", b"w2")
    table.pass_time(6, second)
    table.hire(first)
    table.worker(first, WorkerBeat([A], 1))
    assert CancelRun(A) in table.heard(first, CancelRun)
    assert CancelRun(A) not in table.heard(second, CancelRun)


def test_a_stall_of_the_broker_itself_costs_no_worker_its_lease():
    table = Table(lease=5.0)
    table.meet(b"w1")
    table.client(Submit(A))
    table.now += 60
    table.ledger.tick(table.now)
    table.worker(b"w1", WorkerBeat([A], 1))
    table.pass_time(2)
    assert table.status().counters.deaths == 0


def test_an_overdue_job_expires_even_though_its_worker_beats():
    table = Table(deadline_grace=5.0)
    table.meet(b"w1")
    table.client(Submit(A, deadline=10.0))
    table.pass_time(14, b"w1")
    assert table.heard(b"c1", Failed) == []
    table.pass_time(2, b"w1")
    (failed,) = table.heard(b"c1", Failed)
    assert failed.kind == "expired"
    assert CancelRun(A) in table.heard(b"w1", CancelRun)


def test_a_worker_that_stops_a_job_at_its_deadline_ends_it():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A, deadline=10.0))
    table.worker(b"w1", Stopped(A, 1, "deadline"))
    assert [m.kind for m in table.heard(b"c1", Failed)] == ["expired"]


# errors and deaths


def test_a_retryable_error_is_tried_again_after_a_pause_and_at_most_thrice():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    for attempt in range(1, 5):
        assert len(table.assigned(b"w1")) == attempt
        table.worker(b"w1", Error(A, attempt, retryable=True, detail="busy"))
        assert len(table.assigned(b"w1")) == attempt  # not at once
        table.pass_time(6, b"w1")
    assert [(m.kind, m.detail) for m in table.heard(b"c1", Failed)] == [("error", "busy")]
    assert table.status().counters.retries == 3


def test_a_lasting_error_ends_the_job():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", Error(A, 1, retryable=False, detail="no such model"))
    assert table.heard(b"c1", Failed) == [Failed(A, "error", "no such model")]


def kill(table: Table, peer: bytes) -> None:
    table.ledger.lose_contact(table.now, peer)
    table.pass_time(4)


def test_a_job_that_kills_three_workers_is_dead_and_leaves_a_letter():
    table = Table()
    table.meet()
    table.client(Submit(A, group="tree"), b"poison")
    for number in range(3):
        table.hire(b"w%d" % number)
        kill(table, b"w%d" % number)
    assert [m.kind for m in table.heard(b"c1", Failed)] == ["dead"]
    (letter,) = table.letters
    assert (letter.submit.job, letter.body, letter.deaths) == (A, b"poison", 3)


def test_suspects_of_one_death_share_a_worker_with_suspects_only():
    table = Table()
    table.meet(b"w1", capacity=100)
    for number in range(20):
        table.client(Submit(job_id(number)))
    kill(table, b"w1")
    table.client(Submit(A))
    table.hire(b"w2", capacity=100)
    assert len(table.assigned(b"w2")) == 8
    assert A not in table.assigned(b"w2")


def test_a_job_that_was_there_twice_runs_alone():
    table = Table()
    table.meet(b"w1", capacity=100)
    for number in range(3):
        table.client(Submit(job_id(number)))
    kill(table, b"w1")
    table.hire(b"w2", capacity=100)
    kill(table, b"w2")
    table.client(Submit(A))
    table.hire(b"w3", capacity=100)
    assert table.assigned(b"w3") == [job_id(0)]


def test_a_death_in_company_is_no_proof():
    table = Table()
    table.meet()
    for number in range(2):
        table.client(Submit(job_id(number)))
    for life in range(2):  # both are there twice, in company
        table.hire(b"w%d" % life, capacity=2)
        kill(table, b"w%d" % life)
    table.hire(b"w2")
    kill(table, b"w2")  # the third death, the first alone: bad luck or guilt?
    assert table.heard(b"c1", Failed) == []
    for life in range(3, 5):
        table.hire(b"w%d" % life)
        kill(table, b"w%d" % life)
    assert [m.job for m in table.heard(b"c1", Failed)] == [job_id(0)]


def test_the_innocent_companions_of_a_poison_job_all_finish():
    table = Table()
    table.meet()
    jobs = [job_id(number) for number in range(40)]
    for job in jobs:
        table.client(Submit(job))
    for life in range(200):
        peer = b"w%d" % life
        table.hire(peer, capacity=16)
        if jobs[7] in table.assigned(peer):
            kill(table, peer)
            continue
        for job in table.assigned(peer):
            table.worker(peer, Done(job, 1))
        table.worker(peer, WorkerBye())
        if not table.waiting():
            break
    assert table.heard(b"c1", Failed)[0].job == jobs[7]
    assert len(table.heard(b"c1", Finished)) == 39


def test_a_busy_worker_is_drained_for_a_suspect_that_would_wait_for_ever():
    table = Table()
    table.meet(b"w0")
    table.client(Submit(A))
    kill(table, b"w0")
    table.hire(b"w1", capacity=2)
    table.worker(b"w1", Error(A, 1, retryable=True))  # A rests; the worker takes others meanwhile
    table.client(Submit(B))
    table.client(Submit(C))
    table.now += 2
    table.ledger.tick(table.now)
    table.ledger.tick(table.now)
    table.client(Submit(job_id("more")))
    table.worker(b"w1", Done(B, 1))
    assert table.assigned(b"w1")[-1] == C
    table.worker(b"w1", Done(C, 1))
    assert table.assigned(b"w1")[-1] == A


# cancelling


def test_a_queued_job_that_is_cancelled_is_never_run():
    table = Table()
    table.meet()
    table.client(Submit(A))
    table.client(Cancel(job=A))
    table.hire(b"w1")
    assert table.assigned(b"w1") == []


def test_a_cancelled_run_keeps_its_slot_until_it_has_stopped():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.client(Submit(B))
    table.client(Cancel(job=A))
    assert table.heard(b"w1", CancelRun) == [CancelRun(A)]
    assert table.assigned(b"w1") == [A]
    table.worker(b"w1", Stopped(A, 1, "cancelled"))
    assert table.assigned(b"w1") == [A, B]


def test_dropped_jobs_leave_nothing_behind():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A, priority=1))
    for number in range(5000):
        table.client(Submit(job_id(number)))
        table.client(Cancel(job=job_id(number)))
    assert table.status().queued == 0
    assert len(table.ledger._book.jobs) == 1


def test_a_lost_cancel_is_said_again_when_the_job_shows_up_in_a_beat():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.client(Cancel(job=A))
    table.worker(b"w1", WorkerBeat([A], 1))
    assert len(table.heard(b"w1", CancelRun)) == 2


def test_a_job_asked_for_again_is_not_given_to_the_worker_that_still_stops_it():
    table = Table()
    table.meet(b"w1", capacity=2)
    table.client(Submit(A))
    table.client(Cancel(job=A))
    table.client(Submit(A))
    assert table.assigned(b"w1") == [A]
    table.worker(b"w1", Stopped(A, 1, "cancelled"))
    assert table.assigned(b"w1") == [A, A]


def test_a_group_is_cancelled_as_one_and_workers_are_told_that_it_ended():
    table = Table()
    table.meet(b"w1", b"w2")
    table.client(Submit(A, group="tree"))
    table.client(Submit(B, group="other"))
    table.client(Cancel(group="tree"))
    assert table.status().leased == 1
    for peer in (b"w1", b"w2"):
        assert table.heard(peer, GroupEnded) == [GroupEnded("tree")]


def test_jobs_of_a_client_that_left_or_fell_silent_are_cancelled():
    for leave in (True, False):
        table = Table(client_gone=30.0)
        table.meet(b"w1")
        table.client(Submit(A))
        table.client(ClientHello(PROTOCOL, "other", b"client-2"), peer=b"c2")
        table.client(Submit(B), peer=b"c2")
        if leave:
            table.client(ClientBye(), peer=b"c2")
        else:
            table.pass_time(31, b"w1")
        assert table.status().queued == 0
        assert table.status().leased == 1


def test_a_cancel_that_got_lost_is_seen_in_the_clients_beat():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.client(ClientBeat([]))
    assert table.heard(b"w1", CancelRun) == [CancelRun(A)]


# draining, restarts, strangers


def test_capacity_zero_drains_a_worker():
    table = Table()
    table.meet(b"w1", capacity=2)
    table.client(Submit(A))
    table.worker(b"w1", WorkerBeat([A], 0))
    table.client(Submit(B))
    assert table.assigned(b"w1") == [A]


def test_what_a_leaving_worker_still_holds_goes_to_others_without_suspicion():
    table = Table()
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"w1", WorkerBye())
    assert table.status().queued == 1
    assert table.status().suspects == 0


def test_after_a_restart_a_running_job_is_claimed_and_not_run_twice():
    table = Table()
    table.hire(b"w1", capacity=3)
    table.worker(b"w1", WorkerBeat([A], 3))
    table.meet()
    table.client(Submit(A))
    assert table.assigned(b"w1") == []
    table.worker(b"w1", Done(A, 1), b"answer")
    assert table.bodies[b"c1", A] == b"answer"


def test_after_a_restart_a_claim_dies_with_its_worker():
    table = Table()
    table.hire(b"w1")
    table.worker(b"w1", WorkerBeat([A], 1))
    table.worker(b"w1", WorkerBye())
    table.meet(b"w2")
    table.client(Submit(A))
    assert table.assigned(b"w2") == [A]


def test_a_worker_that_comes_back_is_not_given_what_it_already_runs():
    table = Table()
    table.meet()
    table.client(Submit(A))
    table.worker(b"w1", WorkerHello(PROTOCOL, "w1", b"session1", 2, [A]))
    assert table.assigned(b"w1") == []
    assert table.status().leased == 1


def test_after_a_restart_a_result_waits_for_its_submit():
    table = Table()
    table.hire(b"w1")
    table.worker(b"w1", Done(A, 1), b"answer")
    table.meet()
    table.client(Submit(A))
    assert table.bodies[b"c1", A] == b"answer"


def test_a_running_job_nobody_claims_is_cancelled_after_a_while():
    table = Table(unclaimed=30.0)
    table.meet(b"w1")
    table.running[b"w1"] = {A}
    table.worker(b"w1", WorkerBeat([A], 1))
    table.pass_time(28, b"w1")
    assert table.heard(b"w1", CancelRun) == []
    table.pass_time(4, b"w1")
    assert CancelRun(A) in table.heard(b"w1", CancelRun)


def test_strangers_are_asked_who_they_are_but_a_result_is_taken_from_anyone():
    table = Table()
    table.client(Submit(A), peer=b"stranger")
    assert table.heard(b"stranger", WhoAreYou)
    table.meet(b"w1")
    table.client(Submit(A))
    table.worker(b"unknown", Done(A, 1), b"answer")
    assert table.heard(b"unknown", WhoAreYou)
    assert table.bodies[b"c1", A] == b"answer"


def test_another_protocol_is_refused_with_a_reason():
    table = Table()
    table.client(ClientHello(PROTOCOL + 1, "new", b"client-9"), peer=b"c9")
    table.worker(b"w9", WorkerHello(PROTOCOL + 1, "new", b"worker-9", 1))
    for peer in (b"c9", b"w9"):
        (refused,) = table.heard(peer, Refused)
        assert "protocol" in refused.reason
        assert not table.heard(peer, Welcome)


def test_thousands_of_waiting_jobs_do_not_slow_each_other_down():
    table = Table(window=20_000)
    table.meet(b"w1", b"w2", capacity=10)
    for number in range(10_000):
        table.client(Submit(job_id(number), affinity=str(number % 50)))
    while any(table.running.values()):
        for peer in (b"w1", b"w2"):
            for job in list(table.running[peer]):
                table.worker(peer, Done(job, 1))
    assert len(table.heard(b"c1", Finished)) == 10_000
