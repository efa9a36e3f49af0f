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
from tests.trainer.stored_trees import plant, stored_tree

BOUNDS = {"max_length": 512, "max_tokens": 4096, "scale": 5.0}


def answered(problem, right, wrong):
    steps = {"0.1": [4, 9], "0.1.1": right, "0.1.2": wrong}
    tree = LabelledTree(problem, "search", [1, 2], steps, [])
    return AnsweredTree(tree, {"0.1.1": True, "0.1.2": False})


@pytest.fixture
def model(base):
    """Scores a token by the first number of its hidden state."""
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    return model


def test_a_rule_is_credited_for_right_answers_above_wrong_ones(model):
    one, other = answered("p", [5, 9], [6, 9]), answered("p", [6, 9], [5, 9])
    found = measure_path_rules(model, [one], **BOUNDS)
    turned = measure_path_rules(model, [other], **BOUNDS)
    assert {found["answers_ordered_last"], turned["answers_ordered_last"]} == {0.0, 1.0}
    assert found["path_rule_problems"] == 1


def test_a_tie_is_half_right(base):
    found = measure_path_rules(load_ppm(base), [answered("p", [5, 9], [6, 9])], **BOUNDS)
    assert found["answers_ordered_mean"] == 0.5


def test_answers_that_do_not_fit_are_left_out(model):
    found = measure_path_rules(
        model, [answered("p", [5, 9], [6] * 600)], max_length=512, max_tokens=4096, scale=5.0
    )
    assert found == {"path_rule": "mean", "path_rule_problems": 0}


def test_few_problems_cannot_choose_a_rule():
    shares = {"last": 0.9, "mean": 0.5, "product": 0.6, "min": 0.7}
    assert best_rule(shares, 3) == "mean"
    assert best_rule(shares, 30) == "last"
    assert best_rule({**shares, "mean": 0.9}, 30) == "mean"


def test_only_trees_with_right_and_wrong_answers_order_anything(encoder):
    (planted,) = plant(encoder, 1)
    found = answered_tree(stored_tree(0, planted), encoder)
    assert found is not None
    assert set(found.verdicts.values()) == {True, False}
    assert set(found.verdicts) <= set(found.tree.steps)
