import json
import math
from dataclasses import replace

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    CohereConfig,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
)

from rstar_async.config import LoRAConfig, PPMConfig, TrainingConfig
from rstar_async.data.preferences import PairRules
from rstar_async.errors import BadInput
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.build_dataset import is_heldout
from rstar_async.trainer.checkpoint_io import copy_tokenizer
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.dataset import labelled_tree
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.objectives import PPMLoss, targets_of
from rstar_async.trainer.packing import pack
from rstar_async.trainer.pair_accuracy import pair_accuracy, score_pairs
from rstar_async.trainer.ppm import PPMJob, PreferenceTrainer, padding_example, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm, scorer_class, scores
from tests.trainer.stored_trees import packed_trees, solved_trees, stored_tree
from tests.trainer.unpacked import unpacked_loss, unpacked_scores

WEIGHTS, NORM = "model.layers.0.mlp.up_proj.weight", "model.norm.weight"
PAIRWISE = PPMLoss("preference")
PAPER = {"score_at": "last_token", "pair_loss": "pairwise", "min_steps": 0}
SETTINGS = PPMConfig(epochs=2, learning_rate=3e-3, batch_trees=4, **PAPER)


@pytest.fixture(scope="module")
def packed(encoder):
    return packed_trees(encoder, 24)


def train(start, trees, heldout, into, settings=SETTINGS, progress=None, dtype="auto"):
    progress = progress or TrainingProgress("ppm")
    job = PPMJob(start, trees, heldout, settings, TrainingConfig(dtype=dtype), scale=5.0, seed=1)
    return train_ppm(job, into=into, progress=progress)


def test_the_likelihood_baseline_is_that_of_the_reference_policy(base, packed, tmp_path):
    """A policy that learnt the held-out solutions would order their pairs far too well."""
    other = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    with torch.no_grad():
        for weight in other.parameters():
            weight.neg_()
    other.save_pretrained(tmp_path / "other")
    metrics = []
    for name, reference in (("own", None), ("reference", tmp_path / "other")):
        (tmp_path / name).mkdir()
        job = PPMJob(base, packed[:4], packed[4:8], SETTINGS, TrainingConfig(), 5.0, 1)
        job = replace(job, reference=reference)
        metrics.append(train_ppm(job, into=tmp_path / name, progress=TrainingProgress("ppm")))
    own, measured = metrics
    assert own["pair_accuracy_likelier"] != measured["pair_accuracy_likelier"]
    assert own["pair_accuracy"] == measured["pair_accuracy"]


def test_a_family_without_a_scorer_is_named_with_what_to_do():
    with pytest.raises(BadInput, match=r"family cohere, .* give --ppm.train false"):
        scorer_class(CohereConfig())
    chunked = Qwen2Config()
    chunked.layer_types = ["full_attention", "chunked_attention"]
    with pytest.raises(BadInput, match="a qwen2 with layers of chunked_attention"):
        scorer_class(chunked)


def test_bfloat16_is_close_to_float32(base, packed, tmp_path):
    losses = {}
    for dtype in ("float32", "bfloat16"):
        (tmp_path / dtype).mkdir()
        losses[dtype] = train(base, packed[:8], [], tmp_path / dtype, dtype=dtype)["loss_last"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.01)


def test_a_ppm_learns_to_tell_marked_steps_from_unmarked_ones(base, packed, tmp_path):
    metrics = train(base, packed[8:], packed[:8], tmp_path)
    assert metrics["pair_accuracy"] > 0.8
    assert metrics["loss_last"] < metrics["loss_first"]
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype="float32")
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [
        "LlamaForSequenceClassification"
    ]
    (part,) = forwards(packed[:2], 4096)
    raw = unpacked_scores(stock.eval(), part)
    assert (raw[part.chosen] > raw[part.rejected]).float().mean() > 0.7


def test_adapters_learn_too_and_are_merged_into_a_stock_model(base, packed, tmp_path):
    settings = structs.replace(SETTINGS, epochs=8, lora=LoRAConfig(rank=4))
    metrics = train(base, packed[8:], packed[:8], tmp_path, settings)
    assert metrics["pair_accuracy"] > 0.8
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype="float32")
    raw = unpacked_scores(stock.eval(), forwards(packed[:2], 4096)[0])
    (part,) = forwards(packed[:2], 4096)
    assert torch.allclose(raw, scores(load_ppm(tmp_path).eval(), part), atol=1e-4)
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path))
    assert after.keys() == {*before, "score.weight"}
    assert not torch.equal(before[WEIGHTS], after[WEIGHTS])
    assert torch.equal(before[NORM], after[NORM])


def test_accuracy_is_logged_during_the_training(base, packed, tmp_path):
    """On each step's pairs before the step, and four times on the held-out pairs."""
    progress = TrainingProgress("ppm", file=tmp_path / "progress.jsonl")
    (tmp_path / "ppm").mkdir()
    settings = structs.replace(SETTINGS, epochs=4)
    metrics = train(base, packed[8:], packed[:8], tmp_path / "ppm", settings, progress)
    records = [json.loads(line) for line in progress.file.read_text().splitlines()][1:]
    accuracies = [line["pair_accuracy_train"] for line in records]
    assert accuracies[0] == 0.5  # a new head is zero: all are ties
    assert sum(accuracies[-4:]) / 4 > 0.8
    heldout = {line["step"]: line["pair_accuracy"] for line in records if "pair_accuracy" in line}
    assert list(heldout) == [4, 8, 12, 16]
    assert heldout[16] == metrics["pair_accuracy"]
    assert [line.get("pair_accuracy") for line in progress.step_log[1:]] == [
        heldout.get(step) for step in range(1, 17)
    ]


def test_the_loss_is_the_weighted_mean_over_all_pairs_of_a_step(base, packed, tmp_path):
    """The same loss and gradients, whether a step takes one forward pass or many."""
    results = []
    for max_tokens in (100_000, 400):
        settings = PPMConfig(batch_trees=4, max_tokens=max_tokens, **PAPER)
        job = PPMJob(base, packed[:4], [], settings, TrainingConfig(), scale=5.0, seed=1)
        trainer = PreferenceTrainer(job, max_tokens, Checkpoints(tmp_path, 0))
        model = trainer.model
        torch.nn.init.constant_(model.score.weight, 0.1)
        parts = forwards(packed[:4], max_tokens)
        loss = trainer.training_step(trainer.model, {"forwards": parts})
        results.append((len(parts), float(loss), model.score.weight.grad.clone()))
    (few, loss, gradient), (many, same_loss, same_gradient) = results
    assert few < many
    assert loss == pytest.approx(same_loss, rel=1e-5)
    assert torch.allclose(gradient, same_gradient, atol=1e-6)
    with torch.no_grad():
        by_hand = sum(unpacked_loss(model.eval(), part) for part in parts)
    assert loss == pytest.approx(float(by_hand / sum(p.weights.sum() for p in parts)), rel=1e-4)


def test_the_loss_of_a_pair_is_scaled_by_its_weight(base, packed):
    model = load_ppm(base)
    (part,) = forwards(packed[:1], 4096)
    # A new head is zero, so the loss of every pair is log 2.
    expected = float(part.weights.sum()) * torch.log(torch.tensor(2.0))
    with torch.no_grad():
        loss = PAIRWISE.summed(scores(model, part), part)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)
    assert pair_accuracy(score_pairs(model, packed[:1], 4096)) == 0.5
    assert pair_accuracy(score_pairs(model, [], 4096)) is None


def test_problems_are_held_out_by_their_id_alone():
    names = [f"problem {i}" for i in range(1000)]
    kept = [name for name in names if is_heldout(name, 0.1)]
    assert 60 < len(kept) < 140
    assert kept == [name for name in names if is_heldout(name, 0.1)]
    assert not any(is_heldout(name, 0.0) for name in names)
    assert all(is_heldout(name, 1.0) for name in names)


@pytest.fixture(scope="module")
def qwen(base, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qwen")
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=1000,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    copy_tokenizer(base, folder)
    return folder


def test_a_qwen_head_is_saved_with_a_bias_of_zero(qwen, packed, tmp_path):
    train(qwen, packed[:4], [], tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert weights["score.bias"].tolist() == [0.0]
    _, report = Qwen2ForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]


def test_a_llama_head_is_saved_without_a_bias(base, packed, tmp_path):
    train(base, packed[:4], [], tmp_path)
    _, report = AutoModelForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]


def test_without_heldout_problems_there_is_no_heldout_accuracy(base, packed, tmp_path):
    metrics = train(base, packed[:4], [], tmp_path)
    assert metrics["pair_accuracy"] is None
    assert metrics["pair_accuracy_train"] is not None


def test_a_request_to_stop_saves_nothing(base, packed, tmp_path):
    progress = TrainingProgress("ppm", should_stop=lambda: True)
    with pytest.raises(Stopped):
        train(base, packed, [], tmp_path, progress=progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("objective", ["pqm", "orm"])
def test_other_objectives_are_fitted_and_order_solutions(objective, base, encoder, tmp_path):
    trees, heldout = [], []
    for number, solved in enumerate(solved_trees(encoder, 8)):
        stored = stored_tree(number, solved)
        targets = targets_of(solved.tree, objective)
        trees += pack(labelled_tree(stored, encoder, PairRules(), targets), 512, 4096)[0]
        labelled = labelled_tree(stored, encoder, PairRules())
        solutions = [pair for pair in labelled.pairs if pair.kind == "trajectory"]
        heldout += pack(replace(labelled, pairs=solutions), 512, 4096)[0]
    settings = PPMConfig(
        epochs=30, learning_rate=3e-3, batch_trees=2, min_steps=0, objective=objective
    )
    metrics = train(base, trees, heldout, tmp_path, settings)
    assert metrics["pairs"] == 0
    assert metrics["targets"] == sum(len(tree.targets) for tree in trees)
    assert metrics["loss_last"] < metrics["loss_first"] / 2
    assert metrics["pair_accuracy"] > 0.8


def test_the_losses_of_targets_equal_those_computed_by_hand(base, packed):
    tree = replace(packed[0], pairs=[], comparisons=[], targets=[(0, 1.0, 1.0), (1, 0.0, 1.0)])
    (part,) = forwards([tree], 4096)
    raw = torch.tensor([2.0, -1.0, *[9.0] * len(tree.scored[2:])])
    pqm = (math.tanh(2 / 5) - 1) ** 2 + math.tanh(-1 / 5) ** 2
    orm = -math.log(1 / (1 + math.exp(-2))) - math.log(1 - 1 / (1 + math.exp(1)))
    assert float(PPMLoss("pqm", scale=5.0).summed(raw, part)) == pytest.approx(pqm, rel=1e-5)
    assert float(PPMLoss("orm").summed(raw, part)) == pytest.approx(orm, rel=1e-5)
    assert float(PPMLoss("orm").weight([part, part])) == 4


def test_padding_examples_do_not_change_the_loss(base, packed):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    sums = []
    for trees in (packed[:2], [*packed[:2], padding_example(packed[0])]):
        (part,) = forwards(trees, 8192)
        with torch.no_grad():
            loss = PAIRWISE.summed(scores(model, part), part)
        sums.append((float(loss), float(PAIRWISE.weight([part]))))
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
