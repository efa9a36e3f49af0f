import pytest

from rstar_async.data.difficulty import Difficulty, accuracy, difficulty
from tests.data.trees import tree_of


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [(3, 0, "easy"), (1, 5, "medium"), (0, 5, "hard"), (0, 0, "hard")],
)
def test_a_problem_is_as_hard_as_its_answers_are_wrong(right, wrong, found):
    assert difficulty(right, wrong) is Difficulty(found)


def test_accuracy_is_over_the_decided_answers_of_all_trees():
    one = tree_of({"0.1": (1.0, "right"), "0.2": (0.0, "undecided"), "0.3": (-1.0, "wrong")})
    other = tree_of({"0.1": (-1.0, "wrong"), "0.2": (-1.0, "error")})
    assert accuracy([one, other]) == pytest.approx(1 / 3)
    assert accuracy([tree_of({"0.1": (0.0, "undecided")})]) == 0
