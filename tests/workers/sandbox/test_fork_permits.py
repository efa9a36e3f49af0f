"""Who may fork, without anybody forking."""

from workers.sandbox import policy
from workers.sandbox.fork_permits import ForkPermits


def test_a_ticket_is_good_for_one_fork():
    tickets = ForkPermits(lambda pid: None)
    tickets.grant(7)
    assert [tickets.spend(7), tickets.spend(7), tickets.spend(8)] == [True, False, False]
    assert (tickets.granted, tickets.denied) == (1, 2)


def test_a_ticket_taken_back_tells_whether_it_was_used():
    tickets = ForkPermits(lambda pid: None)
    tickets.grant(7)
    assert not tickets.revoke(7)
    assert not tickets.spend(7)
    tickets.grant(7)
    tickets.spend(7)
    assert tickets.revoke(7)


def test_who_keeps_asking_is_reported_once_and_then_forgotten():
    reported = []
    tickets = ForkPermits(reported.append)
    for _ in range(policy.DENIED_FORKS):
        tickets.spend(7)
    assert reported == [7]
    tickets.spend(7)
    tickets.forget(7)
    assert reported == [7]
