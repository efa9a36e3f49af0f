import pytest

from benchmarks.differences import difference


def test_paired_on_the_same_problems() -> None:
    """Gaps of 0, 50 and 100 points: mean 50, deviation 50, margin 1.96 * 50 / sqrt 3."""
    found = difference(({"a": 0.0, "b": 0.5, "c": 0.0}, {"a": 0.0, "b": 1.0, "c": 1.0}))
    assert found.points == pytest.approx(50)
    assert found.high - found.points == pytest.approx(56.58, abs=0.01)
    assert found.points - found.low == pytest.approx(found.high - found.points)


def test_constant_gain_leaves_nothing_to_chance() -> None:
    """However unlike the problems are."""
    found = difference(({"a": 0.1, "b": 0.8}, {"a": 0.2, "b": 0.9}))
    assert (found.low, found.high) == pytest.approx((10, 10))


def test_seeds_are_pooled() -> None:
    one = ({"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 0.0})
    assert difference(one, one).points == difference(one).points
    assert difference(one, one).low > difference(one).low


def test_refuses_other_problems() -> None:
    with pytest.raises(ValueError, match="different problems"):
        difference(({"a": 0.0}, {"b": 0.0}))
