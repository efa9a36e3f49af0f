import random

import pytest

from rstar_async.evaluation.intervals import (
    difference_of_means,
    mean_difference,
    ratio_of_means,
    share_with_interval,
)


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


def test_what_is_the_same_everywhere_differs_by_nothing_for_certain():
    same = mean_difference([0.25, 1.0, 0.5], [0.25, 1.0, 0.5])
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)
    half = ratio_of_means([10.0, 20.0, 40.0], [20.0, 40.0, 80.0])
    assert (half.mean, half.low, half.high) == (0.5, 0.5, 0.5)


def test_pairing_removes_what_problems_have_in_common():
    """Accuracy varies a lot over problems; the difference, hardly at all."""
    others = [0.0, 0.2, 0.4, 0.6, 0.8]
    ones = [other + 0.1 + 0.01 * (-1) ** number for number, other in enumerate(others)]
    gain = mean_difference(ones, others)
    assert 0.08 < gain.low < gain.mean < gain.high < 0.13


def test_the_ratio_of_means_meets_a_simulated_interval():
    """200 draws of 200 problems: the interval holds the true ratio in about 95 % of them."""
    dice, held = random.Random(3), 0
    for _ in range(200):
        others = [dice.uniform(50, 150) for _ in range(200)]
        ones = [other * dice.uniform(0.2, 1.0) for other in others]
        ratio = ratio_of_means(ones, others)
        held += ratio.low <= 0.6 <= ratio.high
    assert 180 <= held <= 199


def test_one_problem_says_nothing_about_others():
    alone = mean_difference([1.0], [0.0])
    assert (alone.low, alone.high) == (-1.0, 1.0)
    alone = difference_of_means({"a": 1.0}, {"a": 0.0, "b": 1.0})
    assert (alone.low, alone.high) == (-1.0, 1.0)


def test_means_of_the_same_problems_differ_as_pairs_do():
    ones, others = {"a": 0.2, "b": 0.9, "c": 0.6}, {"a": 0.1, "b": 0.7, "c": 0.6}
    paired = mean_difference(list(ones.values()), list(others.values()))
    found = difference_of_means(ones, others)
    assert (found.mean, found.low) == (pytest.approx(paired.mean), pytest.approx(paired.low))


def test_the_difference_of_means_meets_a_simulated_interval_and_is_narrower_than_of_few_pairs():
    """30 of 200 problems have the first figure, all the second, as accurate on any problem."""
    dice, held, narrower = random.Random(5), 0, 0
    for _ in range(300):
        others = {str(number): float(dice.random() < 0.6) for number in range(200)}
        ones = {str(number): float(dice.random() < 0.8) for number in range(30)}
        found = difference_of_means(ones, others)
        pairs = mean_difference(list(ones.values()), [others[problem] for problem in ones])
        held += found.low <= 0.2 <= found.high
        narrower += found.high - found.low < pairs.high - pairs.low
    assert 265 <= held <= 298
    assert narrower >= 290
