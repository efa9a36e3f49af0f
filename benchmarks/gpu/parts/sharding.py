"""FSDP2 on one rank: a sharded PPM has the loss and the gradient of a plain one."""

import tempfile
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, Place
from benchmarks.gpu.random_trees import random_trees
from benchmarks.gpu.reference import device
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.scorer import load_ppm, scores

MAX_TOKENS = 4096


def measure(place: Place, findings: Findings) -> None:
    torch.set_float32_matmul_precision("highest")
    with tempfile.NamedTemporaryFile() as meeting:
        dist.init_process_group(
            "nccl" if device() == "cuda" else "gloo",
            init_method=f"file://{meeting.name}",
            rank=0,
            world_size=1,
        )
        try:
            plain, sharded = _gradients(_model(place)), _gradients(_sharded(_model(place)))
        finally:
            dist.destroy_process_group()
    findings.note("rank", device())
    findings.claim("loss, difference", abs(sharded[0] - plain[0]) / plain[0], "of it", "<=", 1e-4)
    error = float((sharded[1] - plain[1]).norm() / plain[1].norm())
    findings.claim("gradient, difference", error, "of it", "<=", 1e-4)


def _model(place: Place) -> Any:
    model = load_ppm(place.models / POLICY).to(device())
    torch.nn.init.constant_(model.score.weight, 0.1)
    return model


def _sharded(model: Any) -> Any:
    mesh = init_device_mesh(device(), (1,))
    for layer in model.model.layers:
        fully_shard(layer, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def _gradients(model: Any) -> tuple[float, torch.Tensor]:
    """Loss and the gradients of all weights in a row."""
    config = model.config
    trees = random_trees(2, config.vocab_size, config.max_position_embeddings)
    part = forwards(trees, MAX_TOKENS)[0].to(torch.device(device()))
    loss = PPMLoss("preference").summed(scores(model, part), part)
    loss.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    whole = [g.full_tensor() if hasattr(g, "full_tensor") else g for g in gradients]
    return float(loss.detach()), torch.cat([g.flatten() for g in whole])
