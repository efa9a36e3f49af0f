import json

import pytest
import torch

from rstar_async.data.preferences import Preference
from rstar_async.trainer.packing import LabelledTree, pack
from rstar_async.trainer.pair_accuracy import score_pairs
from rstar_async.trainer.ppm_quality import measure_quality
from rstar_async.trainer.scorer import load_ppm


def heldout(problems, chosen, rejected, name="p"):
    """That many problems, each with one pair of steps with these ids."""
    pair = Preference("0.1", "0.2", "step", 1.0)
    trees = [
        LabelledTree(f"{name}{number}", "s", [1, 2, 3], {"0.1": chosen, "0.2": rejected}, [pair])
        for number in range(problems)
    ]
    return [part for tree in trees for part in pack(tree, 100, 100)[0]]


@pytest.fixture
def model(base):
    return load_ppm(base).eval()


def quality(model, policy, trees):
    return measure_quality(score_pairs(model, trees, 4096), trees, policy)


def test_the_shorter_step_is_the_first_baseline(base, model):
    metrics = quality(model, base, heldout(9, [4, 9], [4, 5, 9]))
    assert metrics["pair_accuracy_shorter"] == 1.0
    metrics = quality(model, base, heldout(9, [4, 5, 9], [4, 9]))
    assert metrics["pair_accuracy_shorter"] == 0.0


def test_the_likelier_step_is_the_second_baseline(base, model):
    """With chosen and rejected swapped, the accuracy is the opposite."""
    one = quality(model, base, heldout(9, [4, 9], [5, 9]))["pair_accuracy_likelier"]
    other = quality(model, base, heldout(9, [5, 9], [4, 9]))["pair_accuracy_likelier"]
    assert {one, other} == {0.0, 1.0}


def test_a_head_of_zeros_is_not_better_than_chance_and_not_trusted(base, model):
    metrics = quality(model, base, heldout(9, [4, 9], [5, 9]))
    assert metrics["trusted"] is False
    assert metrics["calibration_error"] == 0.0


def test_a_ppm_that_beats_both_baselines_on_enough_problems_is_trusted(base, model):
    torch.nn.init.normal_(model.score.weight)
    pairs = [([4, 8, 9], [5, 9]), ([5, 8, 9], [4, 9]), ([6, 8, 9], [7, 9]), ([7, 8, 9], [6, 9])]
    trusted = []
    for chosen, rejected in pairs:
        few, many = (quality(model, base, heldout(count, chosen, rejected)) for count in (3, 9))
        assert few["trusted"] is None
        beats = many["pair_accuracy_lead"][1] > 0
        assert many["trusted"] is beats
        trusted.append(beats)
    assert not all(trusted)


def test_baselines_are_measured_on_the_problems_of_the_training_too(base, model):
    few, longer = heldout(9, [4, 9], [4, 5, 9]), heldout(27, [4, 5, 9], [4, 9], "other")
    pairs = score_pairs(model, few, 4096)
    metrics = measure_quality(pairs, few, base, further=longer)
    assert metrics["pair_accuracy_shorter"] == 0.25
    assert metrics["pair_accuracy_lead"][0] == 0.5 - max(
        metrics["pair_accuracy_shorter"], metrics["pair_accuracy_likelier"]
    )


def test_the_figures_of_a_single_problem_can_be_stored(base, model):
    metrics = quality(model, base, heldout(1, [4, 9], [5, 9]))
    assert metrics["pair_accuracy_lead"][1:] == [-1.0, 1.0]
    json.dumps(metrics, allow_nan=False)


def test_without_heldout_pairs_nothing_is_measured(base, model):
    assert quality(model, base, []) == {}
