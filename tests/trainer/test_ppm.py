import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
)

from rstar_async.config import PPMTraining, Training
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.endings import Stopped
from rstar_async.trainer.folders import copy_tokenizer
from rstar_async.trainer.harvest import is_heldout
from rstar_async.trainer.objectives import summed_loss
from rstar_async.trainer.ppm import (
    PreferenceTrainer,
    pair_accuracy,
    points_by_problem,
    scores,
    train_ppm,
)
from rstar_async.trainer.scorer import load_ppm
from rstar_async.trainer.watch import Watch
from tests.trainer.forest import packed_trees
from tests.trainer.separate import separate_loss, separate_scores

SETTINGS = PPMTraining(epochs=2, learning_rate=3e-3, batch_trees=4)


@pytest.fixture(scope="module")
def packed(encoder):
    return packed_trees(encoder, 24)


def train(start, trees, heldout, into, settings=SETTINGS, watch=None, dtype="auto"):
    watch = watch or Watch("ppm")
    computing = Training(dtype=dtype)
    return train_ppm(
        start, trees, heldout, settings, computing, scale=5.0, seed=1, into=into, watch=watch
    )


def test_bfloat16_is_mixed_precision_here_too(base, packed, tmp_path):
    losses = {}
    for dtype in ("float32", "bfloat16"):
        (tmp_path / dtype).mkdir()
        losses[dtype] = train(base, packed[:8], [], tmp_path / dtype, dtype=dtype)["loss_last"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.01)


def test_it_learns_to_tell_marked_steps_from_unmarked_ones(base, packed, tmp_path):
    metrics = train(base, packed[8:], packed[:8], tmp_path)
    assert metrics["pair_accuracy"] > 0.8
    assert metrics["loss_last"] < metrics["loss_first"]
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype="float32")
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [
        "LlamaForSequenceClassification"
    ]
    (part,) = forwards(packed[:2], 4096)
    raw = separate_scores(stock.eval(), part)
    assert (raw[part.chosen] > raw[part.rejected]).float().mean() > 0.7


def test_the_loss_is_the_weighted_mean_over_all_pairs_of_a_step(base, packed, tmp_path):
    """The same loss and gradients, whether a step takes one forward pass or many."""
    results = []
    for max_tokens in (100_000, 400):
        settings = PPMTraining(batch_trees=4, max_tokens=max_tokens)
        trainer = PreferenceTrainer(
            base, packed[:4], settings, Training(), 5.0, max_tokens, 1, Checkpoints(tmp_path, 0)
        )
        model = trainer.model
        torch.nn.init.constant_(model.score.weight, 0.1)
        parts = forwards(packed[:4], max_tokens)
        loss = trainer.training_step(trainer.model, {"forwards": parts})
        results.append((len(parts), float(loss), model.score.weight.grad.clone()))
    (few, loss, gradient), (many, same_loss, same_gradient) = results
    assert few == 1
    assert many > 1
    assert loss == pytest.approx(same_loss, rel=1e-5)
    assert torch.allclose(gradient, same_gradient, atol=1e-6)
    (part,) = forwards(packed[:4], 100_000)
    with torch.no_grad():
        by_hand = separate_loss(model.eval(), part) / part.weights.sum()
    assert loss == pytest.approx(float(by_hand), rel=1e-4)


def test_weights_scale_their_pairs(base, packed):
    model = load_ppm(base)
    (part,) = forwards(packed[:1], 4096)
    # A new head is zero, so every pair costs log 2.
    expected = float(part.weights.sum()) * torch.log(torch.tensor(2.0))
    with torch.no_grad():
        loss = summed_loss(scores(model, part), part, "preference", 5.0)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)
    assert pair_accuracy(points_by_problem(model, packed[:1], 4096)) == 0.5
    assert pair_accuracy(points_by_problem(model, [], 4096)) is None


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


def test_a_llama_head_has_none_for_nobody_reads_it(base, packed, tmp_path):
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


def test_a_wish_to_stop_saves_nothing(base, packed, tmp_path):
    watch = Watch("ppm", should_stop=lambda: True)
    with pytest.raises(Stopped):
        train(base, packed, [], tmp_path, watch=watch)
    assert list(tmp_path.iterdir()) == []
