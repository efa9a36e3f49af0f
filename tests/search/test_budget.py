import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from rstar_async.search.budget import Budget, Spent, confidence_in_leader, votes
from tests.data.trees import tree_of

RIGHT = tree_of({"0.1": (0.5, "live"), "0.1.1": (1.0, "right")})
WRONG = tree_of({"0.1": (0.5, "live"), "0.1.1": (-1.0, "wrong")})


@given(st.integers(0, 60), st.integers(0, 60))
def test_confidence_is_that_of_a_beta_distribution(first, second):
    expected = 1 - beta.cdf(0.5, first + 1, second + 1)
    assert confidence_in_leader(first, second) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("done", "tree", "end"),
    [
        (15, RIGHT, None),
        (16, RIGHT, "rollouts"),
        (16, WRONG, None),
        (20, RIGHT, None),  # a stage that was begun is completed
        (32, RIGHT, "rollouts"),
        (32, WRONG, None),
        (64, WRONG, "rollouts"),
    ],
)
def test_unsolved_problems_get_more_rollouts_stage_by_stage(done, tree, end):
    budget = Budget(16, unsolved_rollouts=(32, 64))
    assert budget.end(Spent(rollouts=done), tree) == end


def test_rollouts_in_flight_count_as_done():
    assert Budget(4).end(Spent(rollouts=2), WRONG, in_flight=1) is None
    assert Budget(4).end(Spent(rollouts=2), WRONG, in_flight=2) == "rollouts"


def test_without_the_truth_a_right_answer_changes_nothing():
    blind = Budget(16, unsolved_rollouts=(32,), knows_truth=False)
    for done in range(40):
        spent = Spent(rollouts=done)
        assert blind.end(spent, RIGHT) == blind.end(spent, WRONG)


@pytest.mark.parametrize("bound", ["nodes", "tokens", "seconds", "cpu_seconds"])
def test_a_bound_is_reached_exactly(bound):
    budget = Budget(100, **{bound: 10})
    assert budget.overdrawn(Spent(**{bound: 9})) is None
    assert budget.overdrawn(Spent(**{bound: 10})) == bound
    assert Budget(100).overdrawn(Spent(**{bound: 10**9})) is None


def answered(*programs: list[str]):
    """A tree with one program per list, and its answers below it."""
    nodes, texts = {}, {}
    for i, answers in enumerate(programs, start=1):
        nodes[f"0.{i}"] = (0.0, "live")
        for j, answer in enumerate(answers, start=1):
            nodes[f"0.{i}.{j}"] = (0.0, "right" if answer == "4" else "wrong")
            texts[f"0.{i}.{j}"] = answer
    return tree_of(nodes, texts, answers=texts)


def test_each_program_has_one_vote():
    tree = answered(["4", "4", "5"], ["4"], ["5"])
    assert votes(tree.answers()) == {"4": 2, "5": 1}


def test_a_search_whose_answers_agree_is_stopped():
    sure = Budget(100, confidence=0.9)
    assert sure.end(Spent(), answered(["4"], ["4"])) is None
    assert sure.end(Spent(), answered(["4"], ["4"], ["4"])) == "converged"
    assert sure.end(Spent(), answered(["4"], ["4"], ["4"], ["5"])) is None


def test_agreeing_wrong_answers_end_a_search_only_if_the_truth_is_unknown():
    agreed = answered(["5"], ["5"], ["5"], ["5"])
    assert Budget(100, confidence=0.9).end(Spent(), agreed) is None
    assert Budget(100, confidence=0.9, knows_truth=False).end(Spent(), agreed) == "converged"
