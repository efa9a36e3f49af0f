"""Likelihoods of steps in a packed tree, against those of each path alone."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from rstar_async.data.preferences import Preference
from rstar_async.trainer.packing import LabelledTree, pack
from rstar_async.trainer.step_likelihood import StepLikelihood

STEPS = {
    "0.1": [4, 8, 9],
    "0.2": [5, 9],
    "0.1.1": [6, 4, 9],
    "0.1.2": [7, 9],
    "0.1.2.1": [8],
    "0.1.2.2": [4, 4, 4, 9],
}
PAIRS = [Preference(f"{parent}.1", f"{parent}.2", "step", 1.0) for parent in ("0", "0.1", "0.1.2")]
PROMPT = [1, 2, 3]


def alone(model, path: str) -> float:
    """By a forward pass over the tokens from the root to this step."""
    parts = path.split(".")
    ids = PROMPT + [token for n in range(2, len(parts) + 1) for token in STEPS[".".join(parts[:n])]]
    step = STEPS[path]
    with torch.inference_mode():
        chances = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    places = range(len(ids) - len(step) - 1, len(ids) - 1)
    return sum(float(chances[place, ids[place + 1]]) for place in places) / len(step)


@pytest.mark.parametrize("most_logits", [1, 1 << 27])
def test_a_step_in_a_tree_is_as_likely_as_alone(base, most_logits):
    (tree,), _ = pack(LabelledTree("p", "s", PROMPT, STEPS, PAIRS), 100, 100)
    found = StepLikelihood(base, most_logits).of(tree)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="float32").eval()
    by_path = {}
    for (chosen, rejected, _), paths in zip(tree.pairs, tree.pair_paths, strict=True):
        by_path |= {paths[0]: found[chosen], paths[1]: found[rejected]}
    assert by_path == pytest.approx({path: alone(model, path) for path in STEPS}, abs=1e-5)
