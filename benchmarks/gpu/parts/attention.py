"""flex_attention against dense attention on packed trees: the same sums, time and memory.

Sums are compared in float32 without TF32; time is that of forward and backward as the trainer runs
them, in mixed precision.
"""

import time
from typing import Any, NamedTuple

import torch

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, Place
from benchmarks.gpu.random_trees import random_trees
from rstar_async.trainer.attention import DENSE, FLEX
from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.scorer import load_ppm, scores

TREES, MAX_TOKENS, REPEATS = 8, 16384, 5


class Step(NamedTuple):
    """Scores and head gradient of one pass; seconds and peak bytes of one in mixed precision."""

    scores: torch.Tensor
    gradient: torch.Tensor
    seconds: float
    peak: int


def measure(place: Place, findings: Findings) -> None:
    torch.set_float32_matmul_precision("highest")
    dense, flex = (_step(_model(place, kernel)) for kernel in (DENSE, FLEX))
    scored = (dense.scores - flex.scores).abs().max() / dense.scores.abs().max()
    findings.claim("scores, largest difference", float(scored), "of the largest", "<=", 1e-3)
    gradient = (dense.gradient - flex.gradient).norm() / dense.gradient.norm()
    findings.claim("gradient, difference", float(gradient), "of it", "<=", 1e-3)
    findings.note("dense", dense.seconds, "s a pass")
    findings.note("flex", flex.seconds, "s a pass")
    findings.note("dense / flex, time", dense.seconds / flex.seconds, "times")
    findings.note("dense, peak", dense.peak / 1024**3, "GiB")
    findings.note("flex, peak", flex.peak / 1024**3, "GiB")


def _model(place: Place, kernel: str) -> Any:
    model = load_ppm(place.models / POLICY, kernel).to("cuda")
    torch.manual_seed(1)
    torch.nn.init.normal_(model.score.weight)
    return model.train()


def _step(model: Any) -> Step:
    config = model.config
    trees = random_trees(TREES, config.vocab_size, config.max_position_embeddings)
    part = forwards(trees, MAX_TOKENS)[0].to(torch.device("cuda"))
    exact = _pass(model, part)
    gradient = model.model.layers[0].self_attn.q_proj.weight.grad.clone()
    torch.cuda.reset_peak_memory_stats()
    seconds = _seconds(model, part)
    return Step(exact, gradient, seconds, torch.cuda.max_memory_allocated())


def _pass(model: Any, part: Forward) -> torch.Tensor:
    model.zero_grad()
    raw = scores(model, part)
    PPMLoss("preference").summed(raw, part).backward()
    return raw.detach()


def _seconds(model: Any, part: Forward) -> float:
    with torch.autocast("cuda", torch.bfloat16):
        _pass(model, part)  # compiles
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(REPEATS):
            _pass(model, part)
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / REPEATS
