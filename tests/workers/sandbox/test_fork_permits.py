"""Who may fork, without anybody forking."""

from workers.sandbox import policy
from workers.sandbox.fork_permits import ForkPermits


def test_a_ticket_is_good_for_one_fork():
    fork_permits = ForkPermits(lambda pid: None)
    fork_permits.grant(7)
    assert [fork_permits.use(7), fork_permits.use(7), fork_permits.use(8)] == [True, False, False]
    assert (fork_permits.granted, fork_permits.denied) == (1, 2)


def test_a_ticket_taken_back_tells_whether_it_was_used():
    fork_permits = ForkPermits(lambda pid: None)
    fork_permits.grant(7)
    assert not fork_permits.revoke(7)
    assert not fork_permits.use(7)
    fork_permits.grant(7)
    fork_permits.use(7)
    assert fork_permits.revoke(7)


def test_who_keeps_asking_is_reported_once_and_then_forgotten():
    reported = []
    fork_permits = ForkPermits(reported.append)
    for _ in range(policy.DENIED_FORKS):
        fork_permits.use(7)
    assert reported == [7]
    fork_permits.use(7)
    fork_permits.forget(7)
    assert reported == [7]
