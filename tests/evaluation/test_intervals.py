import pytest

from rstar_async.evaluation.intervals import share_with_interval


def test_the_interval_holds_the_mean():
    share = share_with_interval([0.0, 0.25, 0.5, 1.0])
    assert share.mean == pytest.approx(0.4375)
    assert share.low < share.mean < share.high


def test_wilsons_interval_for_single_samples():
    """10 of 20: a textbook value of the Wilson score interval."""
    share = share_with_interval([1.0] * 10 + [0.0] * 10)
    assert (share.low, share.high) == (
        pytest.approx(0.299, abs=1e-3),
        pytest.approx(0.701, abs=1e-3),
    )


def test_no_success_at_all_is_not_certainty():
    share = share_with_interval([0.0] * 20)
    assert share.mean == 0.0
    assert share.high > 0.1


def test_repeating_samples_of_one_problem_does_not_narrow_the_interval():
    """Averaging inside problems first: the unit of chance is the problem."""
    few = share_with_interval([0.5, 0.0, 1.0, 0.5])
    assert few.high - few.low > 0.5


def test_no_problems_say_nothing():
    share = share_with_interval([])
    assert (share.low, share.high) == (0.0, 1.0)
