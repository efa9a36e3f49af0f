"""One process of several: `python -m tests.trainer.distributed_process BASE INTO`.

Trains both models, and scores a batch with a PPM that is sharded over the processes (FSDP2). Rank 0
writes losses and gradients to INTO/figures.json.
"""

import json
import sys
from pathlib import Path

import torch
from msgspec import structs

from rstar_async.config import LoRAConfig, PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.text.encoding import Encoder
from rstar_async.trainer import distributed
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm, scores
from tests.trainer.stored_trees import packed_trees

# 10 examples in batches of 4: the last batch of an epoch is smaller.
POLICY = PolicyConfig(epochs=2, learning_rate=3e-3, batch_size=4, micro_batch=2)
PPM = PPMConfig(epochs=2, learning_rate=3e-3, batch_trees=4, min_steps=0)
ADAPTED = structs.replace(PPM, lora=LoRAConfig(rank=2))


def main(base: Path, into: Path) -> None:
    torch.set_num_threads(1)
    distributed.join()
    encoder = Encoder.load(base, "tagged")
    trees = packed_trees(encoder, 10)
    figures = {
        "policy": policy_losses(base, encoder, into / "policy"),
        "ppm": ppm_losses(base, trees, into / "ppm"),
        "stopped": early_stop(base, packed_trees(encoder, 50), into / "stopped"),
        "adapters": ppm_losses(base, trees, into / "adapters", ADAPTED),
        "sharded": sharded_figures(base, trees),
        "any_rank": distributed.any_rank(distributed.is_rank0(), not distributed.is_rank0(), False),
        "from_rank0": distributed.on_rank0(lambda: "by rank 0"),
    }
    if distributed.is_rank0():
        (into / "figures.json").write_text(json.dumps(figures))
    distributed.leave()
    distributed.exit_rank(0)


def policy_losses(base, encoder, into):
    problems = word_problems(10, (1, 2), 3, "demonstration")
    rows = [demonstration_row(p.question, p.solution, encoder) for p in problems]
    progress = TrainingProgress("policy")
    train_policy(PolicyJob(base, rows, POLICY, TrainingConfig(), 1), into=into, progress=progress)
    return progress.losses


def ppm_losses(base, trees, into, settings=PPM):
    progress = TrainingProgress("ppm")
    job = PPMJob(base, trees, trees[:3], settings, TrainingConfig(), scale=5.0, seed=1)
    metrics = train_ppm(job, into=into, progress=progress)
    accuracies = [record["pair_accuracy_train"] for record in progress.step_log[1:]]
    return [*progress.losses, *accuracies, metrics["pair_accuracy"]]


def early_stop(base, trees, into):
    """Steps, best step and accuracies of a training that may end early."""
    settings = structs.replace(PPM, epochs=6, patience=2)
    job = PPMJob(base, trees[:10], trees[10:], settings, TrainingConfig(), scale=5.0, seed=1)
    metrics = train_ppm(job, into=into, progress=TrainingProgress("ppm"))
    names = ("steps", "best_step", "stopped_early", "pair_accuracy_choosing", "pair_accuracy")
    return [metrics[name] for name in names]


def sharded_figures(base, trees):
    """Loss and head gradient of a PPM whose layers are sharded over the processes."""
    model = load_ppm(base)
    torch.nn.init.constant_(model.score.weight, 0.1)
    if distributed.world_size() > 1:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh("cpu", (distributed.world_size(),))
        for layer in model.model.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
    part, *_ = forwards(trees[:4], 100_000)
    loss = PPMLoss("preference").summed(scores(model, part), part)
    loss.backward()
    gradient = model.score.weight.grad
    whole = gradient.full_tensor() if hasattr(gradient, "full_tensor") else gradient
    return [float(loss.detach()), *whole.flatten().tolist()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
