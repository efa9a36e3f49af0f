"""Weights in bfloat16 and an 8-bit optimiser, whose kernels are not compiled here."""

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file

from rstar_async.config import LoRAConfig, PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.policy import PolicyJob, PolicyTrainer, train_policy
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from tests.trainer.conftest import plain_model
from tests.trainer.stored_trees import packed_trees

optim = pytest.importorskip("torchao.optim")

EIGHT_BIT = TrainingConfig(optimizer="adamw_8bit")
LOW = TrainingConfig(weights="bfloat16", optimizer="adamw_8bit")
POLICY = PolicyConfig(epochs=2, learning_rate=3e-3, batch_size=8, micro_batch=4)
PPM = PPMConfig(epochs=4, learning_rate=3e-3, batch_trees=4, min_steps=0)
ADAPTERS = LoRAConfig(rank=4)


@pytest.fixture(autouse=True)
def _eager():
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.fixture(scope="module")
def rows(encoder):
    problems = word_problems(24, (1, 2), 3, "demonstration")
    return [demonstration_row(p.question, p.solution, encoder) for p in problems]


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Wide enough for moments in 8 bits: small weights keep theirs in float32."""
    plain, folder = (tmp_path_factory.mktemp(name) for name in ("plain", "wide"))
    prepare_base(str(plain_model(plain, seed=0, width=64)), folder)
    return folder


def policy_job(base, rows, training, **changes):
    return PolicyJob(base, rows, structs.replace(POLICY, **changes), training, seed=1)


@pytest.mark.parametrize("training", [EIGHT_BIT, LOW], ids=["float32", "bfloat16"])
def test_a_policy_learns_in_fewer_bytes_and_is_saved_in_float32(wide, rows, training, tmp_path):
    progress = TrainingProgress("policy")
    metrics = train_policy(policy_job(wide, rows, training), into=tmp_path, progress=progress)
    assert metrics["loss_last"] < metrics["loss_first"] - 0.3
    saved = load_file(tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


@pytest.mark.parametrize("lora", [LoRAConfig(), ADAPTERS], ids=["all weights", "adapters"])
def test_a_ppm_learns_in_fewer_bytes(wide, encoder, lora, tmp_path):
    trees = packed_trees(encoder, 24)
    settings = structs.replace(PPM, epochs=8 if lora.rank else 4, lora=lora)
    job = PPMJob(wide, trees[8:], trees[:8], settings, LOW, scale=5.0, seed=1)
    metrics = train_ppm(job, into=tmp_path, progress=TrainingProgress("ppm"))
    assert metrics["pair_accuracy"] > 0.7


def test_weights_are_bfloat16_and_adapters_float32(wide, rows, tmp_path):
    job = policy_job(wide, rows, LOW, lora=ADAPTERS)
    model = PolicyTrainer(job, 4, Checkpoints(tmp_path, 0)).model
    types = {(weight.requires_grad, weight.dtype) for weight in model.parameters()}
    assert types == {(False, torch.bfloat16), (True, torch.float32)}


def test_moments_are_kept_in_eight_bits(wide, rows, tmp_path):
    trainer = PolicyTrainer(policy_job(wide, rows, EIGHT_BIT), 4, Checkpoints(tmp_path, 0))
    trainer.train()
    states = trainer.optimizer.optimizer.state.values()
    large = [state["exp_avg"] for state in states if state["exp_avg"].numel() >= 4096]
    # Moments that are not whole blocks of 256 stay in float32.
    in_blocks = [moment for moment in large if moment.numel() % 256 == 0]
    assert in_blocks
    assert {type(moment).__name__ for moment in in_blocks} == {"OptimState8bit"}
