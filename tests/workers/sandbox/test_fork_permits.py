"""Which processes may fork, without a real fork."""

from workers.sandbox import policy
from workers.sandbox.fork_permits import ForkPermits


def test_a_permit_allows_one_fork():
    permits = ForkPermits(lambda pid: None)
    permits.grant(7)
    assert [permits.use(7), permits.use(7), permits.use(8)] == [True, False, False]
    assert (permits.granted, permits.denied) == (1, 2)


def test_revoking_a_permit_tells_whether_it_was_used():
    permits = ForkPermits(lambda pid: None)
    permits.grant(7)
    assert not permits.revoke(7)
    assert not permits.use(7)
    permits.grant(7)
    permits.use(7)
    assert permits.revoke(7)


def test_a_process_that_keeps_forking_is_reported_once_and_then_forgotten():
    reported = []
    permits = ForkPermits(reported.append)
    for _ in range(policy.DENIED_FORKS):
        permits.use(7)
    assert reported == [7]
    permits.use(7)
    permits.forget(7)
    assert reported == [7]
