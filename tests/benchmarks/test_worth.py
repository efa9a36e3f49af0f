import pytest

from benchmarks.ppm_ablation.samples import Sampled, Solution
from benchmarks.ppm_ablation.worth import accuracy_by_rule, majorities, worth
from rstar_async.evaluation.selection import ppm_weighted

RIGHT = Solution(0, "0.1", "3", is_correct=True)
WRONG = Solution(0, "0.2", "4")
NONE = Solution(0)


def test_the_choice_by_value_is_compared_with_the_majority_of_the_same_samples() -> None:
    """The right answer is in the minority, and the PPM values it most in one of two problems."""
    sampled = [Sampled([], [WRONG, WRONG, RIGHT]), Sampled([], [WRONG, WRONG, RIGHT])]
    values = [[[0.1], [0.2], [0.9]], [[0.9], [0.2], [0.1]]]
    found = worth(sampled, values, "mean", 3)
    assert found.accuracy == 50
    assert found.lead.points == 50
    assert majorities(sampled, 3) == {"0": 0.0, "1": 0.0}


def test_groups_are_disjoint_and_a_solution_without_an_answer_is_never_chosen() -> None:
    sampled = [Sampled([], [NONE, RIGHT, NONE, NONE])] * 2
    values = [[[], [-1.0], [], []]] * 2
    assert worth(sampled, values, "mean", 2).accuracy == 50
    assert worth(sampled, values, "mean", 4).accuracy == 100
    assert majorities(sampled, 2) == {"0": 0.5, "1": 0.5}


def test_the_rule_decides_between_a_good_path_and_a_good_end() -> None:
    sampled = [Sampled([], [RIGHT, WRONG])] * 2
    values = [[[0.9, 0.1], [-0.9, 0.8]]] * 2
    found = accuracy_by_rule(sampled, values, 2)
    assert found == pytest.approx({"last": 0, "mean": 100, "product": 100, "min": 100})


def test_a_vote_by_value_can_be_right_where_the_single_best_is_not() -> None:
    sampled = [Sampled([], [WRONG, RIGHT, RIGHT])] * 2
    values = [[[0.5], [0.45], [0.46]]] * 2
    assert worth(sampled, values, "mean", 3).accuracy == 0
    assert worth(sampled, values, "mean", 3, ppm_weighted).accuracy == 100
