import pytest

from rstar_async.errors import BadInput
from rstar_async.evaluation.intervals import mean_difference, ratio_of_means
from rstar_async.evaluation.schedules.comparison import Schedule, compare, parse_schedules, spending
from storage.queries import Attempt
from storage.records import Search


def attempt(tokens: int, rollouts: int, ended: str = "rollouts") -> Attempt:
    search = Search("s", "r", 1, "p", "evaluation", 1, "policy", rollouts=rollouts, ended=ended)
    return Attempt(search, [], 8, tokens, 1)


def test_schedules_are_rollouts_perhaps_with_a_confidence():
    assert parse_schedules("16, 16@0.95") == (Schedule(16), Schedule(16, 0.95))
    assert str(Schedule(16, 0.95)) == "16 rollouts until 95 % sure"


@pytest.mark.parametrize("text", ["16", "16,16", "16,many", "16,0", "16,8@1", "16,8@-0.1", "16,"])
def test_what_cannot_be_compared_is_refused(text):
    with pytest.raises(BadInput, match="--schedules"):
        parse_schedules(text)


def test_figures_are_means_over_trees_then_compared_problem_by_problem():
    fixed = spending(
        Schedule(8),
        [[attempt(100, 8), attempt(120, 8)], [attempt(200, 8), attempt(220, 8)]],
        [[True, True], [True, False]],
    )
    adaptive = spending(
        Schedule(8, 0.9),
        [[attempt(40, 3, "converged"), attempt(48, 3, "converged")], [attempt(200, 8)] * 2],
        [[True, True], [False, False]],
    )
    first, second = compare([fixed, adaptive])
    assert adaptive.right == [1.0, 0.0]
    assert adaptive.tokens == [44.0, 200.0]
    assert adaptive.rollouts == [3.0, 8.0]
    assert (fixed.converged, adaptive.converged) == (0.0, 0.5)
    assert (first.tokens.mean, first.difference.mean) == (1.0, 0.0)
    assert second.tokens.mean == pytest.approx(244 / 320)
    assert second.difference.mean == pytest.approx(-0.25)
    assert second.accuracy.mean == pytest.approx(0.5)


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
    import random

    dice, held = random.Random(3), 0
    for _ in range(200):
        others = [dice.uniform(50, 150) for _ in range(200)]
        ones = [other * dice.uniform(0.2, 1.0) for other in others]
        ratio = ratio_of_means(ones, others)
        held += ratio.low <= 0.6 <= ratio.high
    assert 180 <= held <= 199


def test_one_problem_says_nothing_about_others():
    assert mean_difference([1.0], [0.0]).low == float("-inf")
