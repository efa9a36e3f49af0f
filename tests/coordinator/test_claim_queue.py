from rstar_async.coordinator.claim_queue import ASK_AGAIN_SECONDS, ClaimQueue


def test_problems_come_in_order_and_no_more_than_asked_for() -> None:
    queue = ClaimQueue("abc")
    assert queue.next(2, now=0.0) == ["a", "b"]
    assert queue.next(2, now=0.0) == ["c"]
    assert not queue
    assert queue.next(2, now=0.0) == []


def test_what_others_have_is_asked_for_again_later() -> None:
    queue = ClaimQueue("abc")
    queue.refused(queue.next(2, now=0.0), now=10.0)
    assert len(queue) == 3
    assert queue.next(9, now=10.0) == ["c"]
    assert queue.next(9, now=10.0) == []
    assert queue.next(9, now=10.0 + ASK_AGAIN_SECONDS) == ["a", "b"]
    assert not queue


def test_what_was_never_asked_for_comes_before_what_was_refused() -> None:
    """A problem that another finishes need not be asked for in every turn."""
    queue = ClaimQueue("abc")
    queue.refused(queue.next(1, now=0.0), now=0.0)
    assert queue.next(9, now=ASK_AGAIN_SECONDS) == ["b", "c", "a"]


def test_it_says_how_long_to_wait() -> None:
    queue = ClaimQueue("ab")
    assert queue.seconds_until_next(now=0.0) == 0.0
    queue.refused(queue.next(1, now=0.0), now=0.0)
    assert queue.seconds_until_next(now=0.0) == 0.0
    queue.refused(queue.next(1, now=0.5), now=0.5)
    assert queue.seconds_until_next(now=0.75) == ASK_AGAIN_SECONDS - 0.75
    assert queue.seconds_until_next(now=60.0) == 0.0
