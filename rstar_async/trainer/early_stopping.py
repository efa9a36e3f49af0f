"""Early stopping of a PPM: the weights that order held-out pairs best are kept (`ppm.patience`).

The problems that choose the step are not those by which the finished PPM is measured, since the
best of many measurements is too good. Weights and counts are part of every checkpoint, so a resumed
training keeps what an undisturbed one would have kept; the ranks follow rank 0's measurement.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from rstar_async.seeding import digest
from rstar_async.trainer import distributed
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import points_by_problem, score_pairs
from rstar_async.trainer.ppm_quality import FEWEST_PROBLEMS

MEASUREMENTS = 20
STATE = "early_stopping.json"

Weights = Mapping[str, torch.Tensor]


class Standing(msgspec.Struct, frozen=True):
    """The best accuracy by problem so far, its step, and how many measurements came since."""

    best_step: int = 0
    best_accuracy: float = -1.0
    since: int = 0


def split_heldout(
    trees: Sequence[PackedTree],
) -> tuple[Sequence[PackedTree], Sequence[PackedTree]]:
    """The trees that choose the step, and those that measure: of about half of the problems each,
    always the same ones. None choose if that leaves fewer than 8 problems on a side."""
    halves: tuple[list[PackedTree], list[PackedTree]] = ([], [])
    for tree in trees:
        halves[digest(tree.problem_id)[-1] % 2].append(tree)
    if min(len({tree.problem_id for tree in half}) for half in halves) < FEWEST_PROBLEMS:
        return [], trees
    return halves


def accuracy_by_problem(model: Any, trees: Sequence[PackedTree], max_tokens: int) -> float:
    points = points_by_problem(score_pairs(model, trees, max_tokens))
    return fmean(fmean(each) for each in points.values())


class EarlyStopping(TrainerCallback):
    """Measures `MEASUREMENTS` times in a training, and ends it after `patience` of them without a
    better one; all steps are made if `patience` is 0. `measure` tells how good a model is."""

    def __init__(
        self, measure: Callable[[Any], float], patience: int, checkpoints: Checkpoints
    ) -> None:
        self._measure, self._patience = measure, patience
        self._folder = checkpoints.folder
        self._standing = Standing()
        self._weights: Weights = {}

    def metrics(self) -> dict[str, Any]:
        """What goes into the model's metrics."""
        if not self._weights:
            return {}
        standing = self._standing
        return {
            "best_step": standing.best_step,
            "stopped_early": standing.since >= self._patience,
            "pair_accuracy_choosing": round(standing.best_accuracy, 4),
        }

    def restore(self, model: Any) -> None:
        """Put the best weights back."""
        if self._weights:
            _put_back(model, self._weights)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        folder = self._checkpoint(state)
        if (folder / STATE).is_file():
            self._standing = msgspec.json.decode((folder / STATE).read_bytes(), type=Standing)
            self._weights = load_file(folder / _weights_file(model))

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        every = max(1, state.max_steps // MEASUREMENTS)
        is_due = state.global_step % every == 0 or state.global_step >= state.max_steps
        if not self._patience or not is_due:
            return
        # Every rank measures, since shards need all of them, and follows rank 0.
        measured = self._measure(model)
        accuracy = distributed.on_rank0(lambda: measured)
        if accuracy > self._standing.best_accuracy:
            self._standing = Standing(state.global_step, accuracy)
            self._weights = _copy_of(model)
        else:
            since = self._standing.since + 1
            self._standing = msgspec.structs.replace(self._standing, since=since)
            if since >= self._patience:
                control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        """Called before the checkpoint is marked as complete."""
        if not self._weights:
            return
        folder = self._checkpoint(state)
        if _is_sharded(model) or distributed.is_rank0():
            save_file(dict(self._weights), folder / _weights_file(model))
        if distributed.is_rank0():
            (folder / STATE).write_bytes(msgspec.json.encode(self._standing))

    def _checkpoint(self, state: Any) -> Path:
        return self._folder / f"checkpoint-{state.global_step}"


def _copy_of(model: Any) -> Weights:
    """Copies in main memory of what this process holds of the trained weights."""
    return {
        name: _local(weight).to("cpu", copy=True).contiguous()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }


@torch.no_grad()
def _put_back(model: Any, weights: Weights) -> None:
    for name, weight in model.named_parameters():
        if name in weights:
            _local(weight).copy_(weights[name])


def _local(weight: Any) -> torch.Tensor:
    """The weight, or this process's shard of it."""
    whole: torch.Tensor = weight.detach()
    return whole.to_local() if hasattr(whole, "to_local") else whole


def _is_sharded(model: Any) -> bool:
    return any(hasattr(weight, "to_local") for weight in model.parameters())


def _weights_file(model: Any) -> str:
    rank = distributed.rank() if _is_sharded(model) else 0
    return f"best-of-rank-{rank}.safetensors"
