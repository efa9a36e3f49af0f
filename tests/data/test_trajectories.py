import pytest

from rstar_async.data.trajectories import best_trajectories
from tests.data.trees import tree_of


def two_ways(q: float = 0.5):
    return tree_of(
        {
            "0.1": (q, "live"),
            "0.2": (0.9, "live"),
            "0.1.1": (1.0, "right"),
            "0.1.2": (-1.0, "wrong"),
            "0.2.1": (1.0, "right"),
        }
    )


def test_correct_answers_are_ranked_by_mean_q_over_their_path():
    found = best_trajectories({"s": two_ways()}, top=2)
    assert [t.path for t in found] == ["0.2.1", "0.1.1"]
    assert found[0].mean_q == pytest.approx(0.95)
    assert found[1].min_q == 0.5


def test_equal_means_are_ranked_by_the_least_q():
    tree = tree_of(
        {
            "0.1": (0.0, "live"),
            "0.2": (0.4, "live"),
            "0.1.1": (1.0, "right"),
            "0.2.1": (0.6, "right"),
        }
    )
    assert [t.path for t in best_trajectories({"s": tree}, top=1)] == ["0.2.1"]


def test_wrong_and_undecided_answers_are_never_taken():
    tree = tree_of({"0.1": (1.0, "wrong"), "0.2": (1.0, "undecided"), "0.3": (1.0, "error")})
    assert best_trajectories({"s": tree}, top=2) == []


def test_the_same_program_is_taken_once_though_its_answer_is_worded_twice():
    tree = tree_of(
        {"0.1": (0.5, "live"), "0.1.1": (1.0, "right"), "0.1.2": (0.8, "right")},
        {"0.1.1": "<answer>4", "0.1.2": "<answer>it is 4"},
    )
    assert [t.path for t in best_trajectories({"s": tree}, top=2)] == ["0.1.1"]


def test_trees_of_one_problem_are_pooled_and_the_first_wins_ties():
    newer, older = two_ways(0.5), two_ways(0.5)
    found = best_trajectories({"newer": newer, "older": older}, top=4)
    assert [(t.search_id, t.path) for t in found] == [("newer", "0.2.1"), ("newer", "0.1.1")]


def test_an_older_tree_helps_out_with_a_better_way():
    older = tree_of({"0.1": (1.0, "live"), "0.1.1": (1.0, "right")}, {"0.1": "another way"})
    found = best_trajectories({"newer": two_ways(), "older": older}, top=2)
    assert [(t.search_id, t.path) for t in found] == [("older", "0.1.1"), ("newer", "0.2.1")]


def test_as_a_control_any_right_answers_are_taken_the_same_ones_each_time():
    tree = tree_of({f"0.{n}": (n / 10, "right") for n in range(1, 9)})
    picked = [best_trajectories({name: tree}, 1, pick="random")[0].path for name in "abcdef"]
    again = [best_trajectories({name: tree}, 1, pick="random")[0].path for name in "abcdef"]
    assert picked == again
    assert len(set(picked)) > 1
