import pytest

from rstar_async.data.preferences import PairRules, edit_distance, preferences
from tests.data.trees import tree_of


def step_pairs(tree, rules=PairRules()):  # noqa: B008
    return [(p.chosen, p.rejected) for p in preferences(tree, rules) if p.kind == "step"]


def trajectory_pairs(tree):
    return [(p.chosen, p.rejected) for p in preferences(tree) if p.kind == "trajectory"]


def siblings(*kinds_and_q):
    """One live child of the root per entry, each with one answer of that kind below."""
    nodes = {f"0.{i}": (q, "live") for i, (_, q) in enumerate(kinds_and_q, start=1)}
    answers = {f"0.{i}.1": (q, kind) for i, (kind, q) in enumerate(kinds_and_q, start=1)}
    return tree_of({**nodes, **answers})


def test_the_two_best_meet_the_two_worst():
    tree = siblings(
        ("right", 0.9),
        ("right", 0.7),
        ("right", 0.8),
        ("wrong", -0.9),
        ("wrong", -0.2),
        ("wrong", -0.5),
    )
    assert step_pairs(tree) == [("0.1", "0.4"), ("0.1", "0.6"), ("0.3", "0.4"), ("0.3", "0.6")]
    assert {p.weight for p in preferences(tree)} == {0.25}


def test_a_lone_good_step_meets_up_to_four_bad_ones():
    tree = siblings(("right", 1.0), *[("wrong", -0.1 * i) for i in range(1, 7)])
    assert step_pairs(tree) == [("0.1", f"0.{i}") for i in (7, 6, 5, 4)]
    assert {p.weight for p in preferences(tree) if p.kind == "step"} == {0.25}


def test_a_lone_bad_step_meets_up_to_four_good_ones():
    tree = siblings(("wrong", -1.0), *[("right", 0.1 * i) for i in range(1, 7)])
    assert step_pairs(tree) == [(f"0.{i}", "0.1") for i in (7, 6, 5, 4)]


def test_only_one_outcome_gives_no_pairs():
    assert preferences(siblings(("right", 1.0), ("right", 0.5))) == []
    assert preferences(siblings(("wrong", -1.0), ("wrong", -0.5))) == []
    assert preferences(siblings(("right", 1.0), ("undecided", 0.0))) == []


def test_a_mixed_child_is_chosen_and_rejected_and_searched_further():
    tree = tree_of(
        {
            "0.1": (0.5, "live"),
            "0.2": (0.0, "live"),
            "0.1.1": (1.0, "right"),
            "0.2.1": (1.0, "right"),
            "0.2.2": (-1.0, "wrong"),
        }
    )
    assert step_pairs(tree) == [("0.1", "0.2"), ("0.2.1", "0.2.2")]


def test_weights_count_the_group_before_pairs_are_filtered():
    # 2 x 2 in the group at the root, but 0.2 does not beat 0.3, for it is no better.
    tree = siblings(("right", 0.9), ("right", 0.1), ("wrong", 0.2), ("wrong", -0.9))
    pairs = [p for p in preferences(tree) if p.kind == "step"]
    assert [(p.chosen, p.rejected) for p in pairs] == [
        ("0.1", "0.4"),
        ("0.1", "0.3"),
        ("0.2", "0.4"),
    ]
    assert {p.weight for p in pairs} == {0.25}


def test_the_continuation_must_be_better_too():
    # 0.1 has the higher Q, but its best continuation is worse than the worst one of 0.2.
    tree = tree_of(
        {
            "0.1": (0.3, "live"),
            "0.2": (0.2, "live"),
            "0.1.1": (-0.9, "right"),
            "0.2.1": (0.9, "wrong"),
        }
    )
    assert step_pairs(tree) == []


def test_errors_are_neither_right_nor_wrong_unless_asked_for():
    tree = tree_of({"0.1": (1.0, "live"), "0.2": (-1.0, "error"), "0.1.1": (1.0, "right")})
    assert preferences(tree) == []
    assert step_pairs(tree, PairRules(errors_are_negative=True)) == [("0.1", "0.2")]


def test_margin_and_edit_distance_filter():
    tree = siblings(("right", 0.9), ("wrong", 0.6))
    assert step_pairs(tree, PairRules(min_margin=0.2)) == [("0.1", "0.2")]
    assert step_pairs(tree, PairRules(min_margin=0.5)) == []
    assert step_pairs(tree, PairRules(min_edit_distance=1)) == [("0.1", "0.2")]
    assert step_pairs(tree, PairRules(min_edit_distance=2)) == []


def test_whole_solutions_are_paired_by_mean_q():
    tree = siblings(
        ("right", 0.9),
        ("right", 0.7),
        ("right", 0.8),
        ("wrong", -0.9),
        ("wrong", -0.2),
        ("wrong", -0.5),
    )
    assert trajectory_pairs(tree) == [
        ("0.1.1", "0.4.1"), ("0.1.1", "0.6.1"), ("0.3.1", "0.4.1"), ("0.3.1", "0.6.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)]
)
def test_edit_distance(one, other, distance):
    assert edit_distance(one, other) == distance
