import json
import shutil

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from rstar_async.config import LoRAConfig, PolicyConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow, demonstration_row
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.policy import PolicyJob, PolicyTrainer, train_policy
from rstar_async.trainer.progress import TrainingProgress

EMBEDDINGS = "model.embed_tokens.weight"
SETTINGS = PolicyConfig(epochs=2, learning_rate=3e-3, batch_size=8, micro_batch=4)


@pytest.fixture(scope="module")
def rows(encoder):
    problems = word_problems(24, (1, 2), 3, "demonstration")
    return [demonstration_row(p.question, p.solution, encoder) for p in problems]


def train(base, rows, into, progress=None, settings=SETTINGS, dtype="auto"):
    progress = progress or TrainingProgress("policy")
    job = PolicyJob(base, rows, settings, TrainingConfig(dtype=dtype), seed=1)
    return train_policy(job, into=into, progress=progress)


def make_trainer(base, rows, tmp_path, settings=SETTINGS, dtype="auto"):
    job = PolicyJob(base, rows, settings, TrainingConfig(dtype=dtype), seed=1)
    return PolicyTrainer(job, settings.micro_batch, Checkpoints(tmp_path, 0))


def test_bfloat16_is_mixed_precision_and_close_to_float32(base, rows, tmp_path):
    losses = {}
    for dtype in ("float32", "bfloat16"):
        (tmp_path / dtype).mkdir()
        losses[dtype] = train(base, rows[:8], tmp_path / dtype, dtype=dtype)["loss_last"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.01)
    saved = load_file(tmp_path / "bfloat16" / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


@pytest.mark.skipif(torch.cuda.is_available(), reason="about the kernels of CPUs")
def test_only_short_rows_in_bfloat16_are_attended_to_without_the_fused_kernel(base, rows, tmp_path):
    def kernel(rows, dtype):
        trainer = make_trainer(base, rows, tmp_path, dtype=dtype)
        return trainer.model.config._attn_implementation

    short = [row for row in rows if len(row.input_ids) <= 256]
    assert 0 < len(short) < len(rows)
    assert kernel(short, "bfloat16") == "eager"
    assert kernel(rows, "bfloat16") == "sdpa"
    assert kernel(short, "float32") == "sdpa"


def test_loss_falls_and_the_model_is_saved_with_its_tokenizer(base, rows, tmp_path):
    metrics = train(base, rows, tmp_path)
    assert metrics["loss_last"] < metrics["loss_first"] - 0.3
    assert metrics["steps"] == 6
    assert metrics["rows"] == 24
    AutoModelForCausalLM.from_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (base / name).read_bytes()


def test_the_same_seed_gives_the_same_weights(base, rows, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        train(base, rows[:8], folder)
    one, two = ((folder / "model.safetensors").read_bytes() for folder in folders)
    assert one == two


def test_accumulated_micro_batches_give_the_step_of_one_batch(base, rows, tmp_path):
    losses = []
    for micro_batch in (2, 8):
        progress = TrainingProgress("policy")
        settings = PolicyConfig(epochs=1, learning_rate=1e-3, batch_size=8, micro_batch=micro_batch)
        folder = tmp_path / str(micro_batch)
        folder.mkdir()
        train(base, rows[:8], folder, progress, settings)
        losses += progress.losses
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_rows_reach_the_model_unchanged(base, rows, tmp_path):
    """No tokenizing, no end token, no truncation: ids and labels are only padded."""
    trainer = make_trainer(base, rows[:4], tmp_path)
    (batch,) = trainer.get_train_dataloader()
    seen = {
        tuple(ids[mask.bool()].tolist()): labels[mask.bool()].tolist()
        for ids, labels, mask in zip(
            batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        )
    }
    assert seen == {tuple(row.input_ids): row.labels for row in rows[:4]}


@pytest.mark.skipif(torch.cuda.is_available(), reason="about trainings on CPUs")
@pytest.mark.parametrize(("context", "length"), [(512, 496), (500, 491)])
def test_rows_are_made_longer_only_where_the_longest_still_fit(base, tmp_path, context, length):
    folder = shutil.copytree(base, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = context
    (folder / "config.json").write_text(json.dumps(config))
    trainer = make_trainer(folder, [SFTRow([1] * 491, [1] * 491)], tmp_path)
    (batch,) = trainer.get_train_dataloader()
    assert batch["input_ids"].shape[1] == length


def trainer_loss(base, row, tmp_path):
    return make_loss(base, [row], tmp_path)


def make_loss(base, rows, tmp_path):
    trainer = make_trainer(base, rows, tmp_path)
    (batch,) = trainer.get_train_dataloader()
    with torch.no_grad():
        return float(trainer.compute_loss(trainer.model, dict(batch)))


def test_masked_tokens_are_not_in_the_loss(base, rows, tmp_path):
    row = rows[0]
    output = len(row.labels) - 1 - row.labels[::-1].index(NOT_IN_LOSS)
    labels = list(row.labels)
    labels[output] = row.input_ids[output]
    loss = trainer_loss(base, row, tmp_path)
    assert loss == pytest.approx(loss_by_hand(base, row), rel=1e-5)
    assert loss != trainer_loss(base, SFTRow(row.input_ids, labels), tmp_path)


def loss_by_hand(base, row):
    model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    with torch.no_grad():
        logits = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
    targets = [(i, label) for i, label in enumerate(row.labels) if label != NOT_IN_LOSS]
    return -sum(float(logits[i - 1, label]) for i, label in targets) / len(targets)


@pytest.mark.parametrize("packing", [False, True])
def test_loss_and_gradients_are_those_of_trl(base, rows, tmp_path, packing):
    settings = structs.replace(SETTINGS, packing=packing)
    trainer = make_trainer(base, rows[:4], tmp_path, settings)
    (batch,) = trainer.get_train_dataloader()
    found = []
    for compute in (trainer.compute_loss, super(PolicyTrainer, trainer).compute_loss):
        trainer.model.zero_grad()
        loss = compute(trainer.model, dict(batch))
        loss.backward()
        gradients = [each.grad.clone() for each in trainer.model.parameters()]
        found.append([loss.detach(), *gradients])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)


def test_a_model_that_cannot_leave_out_logits_is_trained_alike(base, rows, tmp_path, monkeypatch):
    losses = [make_loss(base, rows[:4], tmp_path)]
    whole = LlamaForCausalLM.forward

    def forward(self, input_ids=None, attention_mask=None, labels=None, **others):
        return whole(self, input_ids, attention_mask, labels=labels, **others)

    monkeypatch.setattr(LlamaForCausalLM, "forward", forward)
    losses.append(make_loss(base, rows[:4], tmp_path))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("labels", [[5, 6, 7], [NOT_IN_LOSS, NOT_IN_LOSS, 7]])
def test_a_row_that_is_learnt_from_its_start_or_only_at_its_end(base, tmp_path, labels):
    row = SFTRow([5, 6, 7], labels)
    by_hand = SFTRow([5, 6, 7], [NOT_IN_LOSS, *labels[1:]])
    assert trainer_loss(base, row, tmp_path) == pytest.approx(loss_by_hand(base, by_hand), rel=1e-5)


def test_every_step_is_reported(base, rows, tmp_path):
    progress = TrainingProgress("policy", 3, tmp_path / "progress.jsonl")
    (tmp_path / "model").mkdir()
    train(base, rows[:8], tmp_path / "model", progress)
    lines = [json.loads(line) for line in progress.file.read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2]
    assert set(lines[0]) == {"phase", "round", "step", "total", "loss", "time"}
    assert {(line["phase"], line["round"], line["total"]) for line in lines} == {("policy", 3, 2)}
    assert lines[1]["loss"] == progress.losses[0]


def test_a_request_to_stop_ends_the_training_after_a_step(base, rows, tmp_path):
    progress = TrainingProgress("policy", should_stop=lambda: len(progress.step_log) > 0)
    with pytest.raises(Stopped, match="step 1 of 6"):
        train(base, rows, tmp_path, progress)
    assert list(tmp_path.iterdir()) == []


def losses_with(base, rows, tmp_path, **changes):
    progress = TrainingProgress("policy")
    train(base, rows, tmp_path, progress, structs.replace(SETTINGS, **changes))
    return progress.losses


def test_packing_gives_the_same_losses_as_padding(base, rows, tmp_path):
    padded = losses_with(base, rows[:8], tmp_path)
    assert losses_with(base, rows[:8], tmp_path, packing=True) == pytest.approx(padded, rel=1e-4)


def test_adapters_depend_on_the_seed_alone(base, rows, tmp_path):
    settings = structs.replace(SETTINGS, lora=LoRAConfig(rank=4))
    drawn = []
    for state in (5, 6):
        torch.manual_seed(state)
        model = make_trainer(base, rows[:4], tmp_path, settings).model
        drawn.append([w for name, w in model.named_parameters() if "lora_A" in name])
    assert drawn[0]
    assert all(map(torch.equal, *drawn))


def test_adapters_are_merged_and_of_the_embeddings_only_tags_change(base, rows, tmp_path):
    losses = losses_with(base, rows[:8], tmp_path, lora=LoRAConfig(rank=4), epochs=8)
    assert losses[-1] < losses[0] - 0.05
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path))
    assert before.keys() == after.keys()
    weights = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(before[weights], after[weights])
    changed = (before[EMBEDDINGS] != after[EMBEDDINGS]).any(1).nonzero().flatten().tolist()
    tags = AutoTokenizer.from_pretrained(base).convert_tokens_to_ids(list(SPECIAL_TOKENS))
    assert changed
    assert set(changed) <= set(tags)
