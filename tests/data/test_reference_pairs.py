"""A hand-made tree, and what the reference's own scripts pick from it.

The step pairs came from running `extra_rm_file.py` of microsoft/rStar, branch rStar-math, on this
very tree; the order of solutions and what the filters keep were worked out by hand from
`extra_sft_file.py` and the two scripts `train/sample_*_data.py`.
"""

import pytest

from rstar_async.data.preferences import PairRules, preferences
from rstar_async.data.trajectories import best_trajectories
from tests.data.trees import tree_of

TREE = tree_of(
    {
        "0.1": (0.6, "live"),
        "0.2": (0.2, "live"),
        "0.3": (-0.4, "live"),
        "0.4": (-1.0, "error"),
        "0.5": (-0.8, "live"),
        "0.1.1": (0.9, "live"),
        "0.1.2": (-0.2, "live"),
        "0.1.3": (-0.6, "live"),
        "0.2.1": (1.0, "right"),
        "0.2.2": (-1.0, "wrong"),
        "0.2.3": (1.0, "right"),
        "0.3.1": (-1.0, "wrong"),
        "0.3.2": (0.1, "live"),
        "0.5.1": (-1.0, "wrong"),
        "0.1.1.1": (1.0, "right"),
        "0.1.1.2": (-1.0, "wrong"),
        "0.1.2.1": (-1.0, "wrong"),
        "0.1.2.2": (1.0, "right"),
        "0.1.3.1": (-1.0, "wrong"),
        "0.3.2.1": (1.0, "right"),
        "0.3.2.2": (-1.0, "error"),
    }
)
# chosen, rejected, weight, margin in Q
PAIRS = [
    ("0.1", "0.5", 1 / 4, 1.4),
    ("0.1", "0.3", 1 / 4, 1.0),
    ("0.2", "0.5", 1 / 4, 1.0),
    ("0.2", "0.3", 1 / 4, 0.6),
    ("0.1.1", "0.1.3", 1 / 4, 1.5),
    ("0.1.1", "0.1.2", 1 / 4, 1.1),
    ("0.1.2", "0.1.3", 1 / 4, 0.4),
    ("0.2.1", "0.2.2", 1 / 2, 2.0),
    ("0.2.3", "0.2.2", 1 / 2, 2.0),
    ("0.3.2", "0.3.1", 1.0, 1.1),
    ("0.1.1.1", "0.1.1.2", 1.0, 2.0),
    ("0.1.2.2", "0.1.2.1", 1.0, 2.0),
]


def picked(**rules):
    return [
        (p.chosen, p.rejected, p.weight)
        for p in preferences(TREE, PairRules(whole_trajectories=False, **rules))
    ]


def test_the_step_pairs_are_the_reference_s():
    assert picked() == [pair[:3] for pair in PAIRS]


@pytest.mark.parametrize("margin", [0.5, 1.05, 1.75])
def test_the_margin_filter_keeps_what_the_reference_keeps(margin):
    assert picked(min_margin=margin) == [pair[:3] for pair in PAIRS if pair[3] >= margin]


def test_the_solutions_are_the_reference_s():
    """Means over the path: 0.83, 0.6 and 0.6, of which the first found, 0.47, 0.23."""
    found = best_trajectories({"s": TREE}, 9, distinct=False)
    assert [t.path for t in found] == ["0.1.1.1", "0.2.1", "0.2.3", "0.1.2.2", "0.3.2.1"]
    assert [t.path for t in best_trajectories({"s": TREE}, 2)] == ["0.1.1.1", "0.2.1"]


def test_solutions_with_the_word_error_go_after_the_best_were_picked():
    tree = tree_of(
        {
            "0.1": (0.9, "live"),
            "0.1.1": (1.0, "right"),
            "0.2": (0.1, "live"),
            "0.2.1": (1, "right"),
        },
        {"0.1": "standard_error = 2"},
    )
    assert [t.path for t in best_trajectories({"s": tree}, 1)] == ["0.1.1"]
    assert best_trajectories({"s": tree}, 1, drop_errors=True) == []
    assert [t.path for t in best_trajectories({"s": tree}, 2, drop_errors=True)] == ["0.2.1"]
