import pytest
import torch

from rstar_async.trainer.answer_ordering import (
    AnsweredTree,
    answered_tree,
    best_rule,
    measure_path_rules,
)
from rstar_async.trainer.packing import LabelledTree
from rstar_async.trainer.scorer import load_ppm
from tests.trainer.stored_trees import solved_trees, stored_tree

LIMITS = {"max_length": 512, "max_tokens": 4096, "scale": 5.0}


def answered(problem, right, wrong):
    steps = {"0.1": [4, 9], "0.1.1": right, "0.1.2": wrong}
    tree = LabelledTree(problem, "search", [1, 2], steps, [])
    return AnsweredTree(tree, {"0.1.1": True, "0.1.2": False})


@pytest.fixture
def model(base):
    """A PPM with a random head."""
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    return model


def test_a_rule_scores_1_if_it_puts_the_right_answer_above_the_wrong_one_and_else_0(model):
    one, other = answered("p", [5, 9], [6, 9]), answered("p", [6, 9], [5, 9])
    metrics = measure_path_rules(model, [one], **LIMITS)
    swapped = measure_path_rules(model, [other], **LIMITS)
    assert {metrics["answers_ordered_last"], swapped["answers_ordered_last"]} == {0.0, 1.0}
    assert metrics["path_rule_problems"] == 1


def test_a_tie_counts_as_half(base):
    metrics = measure_path_rules(load_ppm(base), [answered("p", [5, 9], [6, 9])], **LIMITS)
    assert metrics["answers_ordered_mean"] == 0.5


def test_answers_that_do_not_fit_are_left_out(model):
    metrics = measure_path_rules(
        model, [answered("p", [5, 9], [6] * 600)], max_length=512, max_tokens=4096, scale=5.0
    )
    assert metrics == {"path_rule": "mean", "path_rule_problems": 0}


def test_with_few_problems_the_default_rule_is_used():
    shares = {"last": 0.9, "mean": 0.5, "product": 0.6, "min": 0.7}
    assert best_rule(shares, 3) == "mean"
    assert best_rule(shares, 30) == "last"
    assert best_rule({**shares, "mean": 0.9}, 30) == "mean"


def test_a_tree_with_right_and_wrong_answers_keeps_their_verdicts_and_steps(encoder):
    (solved,) = solved_trees(encoder, 1)
    tree = answered_tree(stored_tree(0, solved), encoder)
    assert tree is not None
    assert set(tree.verdicts.values()) == {True, False}
    assert set(tree.verdicts) <= set(tree.tree.steps)
