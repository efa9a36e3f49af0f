"""One epoch of PPM training, forward and backward, in each of the ways that are compared."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer

from benchmarks.ppm_trees import Trees
from rstar_async.config import PPMTraining
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.objectives import summed_loss
from rstar_async.trainer.optimisation import quiet
from rstar_async.trainer.scorer import load_ppm, scores

MAX_TOKENS = PPMTraining().max_tokens
TREES_PER_BATCH = PPMTraining().batch_trees


@dataclass(frozen=True)
class Epoch:
    """What one way took and gave; `tokens` without padding, `computed` with it."""

    pairs: int
    tokens: int
    computed: int
    cpu_seconds: float
    loss: float
    gradient: torch.Tensor

    def loss_error(self, other: "Epoch") -> float:
        return abs(self.loss - other.loss) / abs(other.loss)

    def gradient_error(self, other: "Epoch") -> float:
        """Length of the difference, relative to the other's length."""
        return float((self.gradient - other.gradient).norm() / other.gradient.norm())


class Rival:
    """A model with one seeded head, loaded anew for each way."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        quiet()
        disable_progress_bars()
        torch.set_num_threads(1)
        self.folder, self.scratch = folder, scratch
        self.context: int = load_ppm(folder).config.max_position_embeddings

    def packed_model(self) -> Any:
        return _with_head(load_ppm(self.folder))

    def stock_model(self) -> Any:
        auto = AutoModelForSequenceClassification
        return _with_head(auto.from_pretrained(self.folder, num_labels=1, dtype="float32"))


def by_trees(rival: Rival, trees: Trees) -> Epoch:
    """Ours: whole trees in rows, one forward pass for all their steps."""
    model, pairs = rival.packed_model(), len(trees.sequences)
    computed = 0

    def losses() -> Iterator[torch.Tensor]:
        nonlocal computed
        computed = 0
        for first in range(0, len(trees.packed), TREES_PER_BATCH):
            for part in forwards(trees.packed[first : first + TREES_PER_BATCH], MAX_TOKENS):
                computed += part.input_ids.numel()
                raw = scores(model, part)
                yield summed_loss(raw, part, "preference", 1.0) / pairs

    seconds, loss = _timed(model, losses)
    tokens = sum(len(tree.input_ids) for tree in trees.packed)
    return Epoch(pairs, tokens, computed, seconds, loss, _gradient(model))


def by_pairs(
    rival: Rival,
    sequences: Sequence[tuple[list[int], list[int]]],
    batch: int,
    pad_to: int | None = None,
) -> Epoch:
    """TRL's trainer on ids: its collator, its loss. Neighbours in a batch are of one tree."""
    model = rival.stock_model()
    trainer = _reward_trainer(rival, model, sequences, batch, pad_to)
    computed = 0

    def losses() -> Iterator[torch.Tensor]:
        nonlocal computed
        computed = 0
        for inputs in trainer.get_train_dataloader():
            computed += inputs["input_ids"].numel()
            share = len(inputs["input_ids"]) / 2 / len(sequences)
            yield trainer.compute_loss(model, inputs) * share

    seconds, loss = _timed(model, losses)
    tokens = sum(len(one) + len(other) for one, other in sequences)
    return Epoch(len(sequences), tokens, computed, seconds, loss, _gradient(model))


def _reward_trainer(
    rival: Rival,
    model: Any,
    sequences: Sequence[tuple[list[int], list[int]]],
    batch: int,
    pad_to: int | None,
) -> Any:
    rows = [{"chosen_ids": chosen, "rejected_ids": rejected} for chosen, rejected in sequences]
    arguments = RewardConfig(
        output_dir=str(rival.scratch / "trl"),
        per_device_train_batch_size=batch,
        train_sampling_strategy="sequential",
        pad_to_multiple_of=pad_to,
        max_length=None,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        use_cpu=True,
        bf16=False,
        report_to=[],
    )
    return RewardTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(rival.folder),
    )


def _with_head(model: Any) -> Any:
    """Not zero, or no gradient would reach the layers below."""
    torch.manual_seed(0)
    torch.nn.init.normal_(model.score.weight)
    return model.train()


def _timed(model: Any, losses: Callable[[], Iterator[torch.Tensor]]) -> tuple[float, float]:
    """CPU seconds of this process, and the summed loss, of forward and backward over an epoch.

    The first pass is made once before, for what a process does only once.
    """
    next(losses()).backward()
    model.zero_grad()
    started, total = time.process_time(), 0.0
    for loss in losses():
        loss.backward()
        total += loss.item()
    return time.process_time() - started, total


def _gradient(model: Any) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
