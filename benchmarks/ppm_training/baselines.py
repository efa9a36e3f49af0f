"""One epoch of PPM training, forward and backward, by each of the compared methods."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer

from benchmarks.ppm_training.trees import Sequences
from rstar_async.config import PPMConfig
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.scorer import load_ppm, scores
from rstar_async.trainer.trainer_args import quiet

MAX_TOKENS = PPMConfig().max_tokens


@dataclass
class Epoch:
    """The cost and the loss of one method so far: `tokens` without padding, `computed` with it, CPU
    `seconds` of each optimiser step."""

    model: Any
    pairs: int
    tokens: int = 0
    computed: int = 0
    loss: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def loss_error(self, other: "Epoch") -> float:
        return abs(self.loss - other.loss) / abs(other.loss)

    def gradient_error(self, other: "Epoch") -> float:
        """Norm of the difference of the gradients, relative to the other's norm."""
        mine, theirs = _gradient(self.model), _gradient(other.model)
        return float((mine - theirs).norm() / theirs.norm())

    def step(self, losses: Callable[[], Iterator[tuple[torch.Tensor, int]]]) -> None:
        """Forward and backward of one step; `losses` yields parts of the loss and their tokens.

        The first step is run once before it is timed, as a warm-up.
        """
        if not self.seconds:
            for loss, _ in losses():
                loss.backward()
            self.model.zero_grad()
        started = time.process_time()
        for loss, computed in losses():
            loss.backward()
            self.loss += loss.item()
            self.computed += computed
        self.seconds.append(time.process_time() - started)


class Baseline:
    """Loads the same model with the same seeded head for each method."""

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


def by_trees(epoch: Epoch, trees: Sequence[PackedTree]) -> None:
    """One step of ours: packed trees, all their steps scored in one forward pass."""

    def losses() -> Iterator[tuple[torch.Tensor, int]]:
        for part in forwards(trees, MAX_TOKENS):
            raw = scores(epoch.model, part)
            loss = PPMLoss("preference").summed(raw, part) / epoch.pairs
            yield loss, part.input_ids.numel()

    epoch.step(losses)
    epoch.tokens += sum(len(tree.input_ids) for tree in trees)


def by_pairs(
    baseline: Baseline, epoch: Epoch, sequences: Sequences, batch: int, pad_to: int | None = None
) -> None:
    """One step of TRL's: its collator and loss on ids. Neighbours in a batch are of one tree."""
    trainer = _reward_trainer(baseline, epoch.model, sequences, batch, pad_to)

    def losses() -> Iterator[tuple[torch.Tensor, int]]:
        for inputs in trainer.get_train_dataloader():
            share = len(inputs["input_ids"]) / 2 / epoch.pairs
            yield trainer.compute_loss(epoch.model, inputs) * share, inputs["input_ids"].numel()

    epoch.step(losses)
    epoch.tokens += sum(len(one) + len(other) for one, other in sequences)


def _reward_trainer(
    baseline: Baseline,
    model: Any,
    sequences: Sequences,
    batch: int,
    pad_to: int | None,
) -> Any:
    rows = [{"chosen_ids": chosen, "rejected_ids": rejected} for chosen, rejected in sequences]
    arguments = RewardConfig(
        output_dir=str(baseline.scratch / "trl"),
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
        processing_class=AutoTokenizer.from_pretrained(baseline.folder),
    )


def _with_head(model: Any) -> Any:
    """Set a random head: with zeros no gradient would reach the layers below."""
    torch.manual_seed(0)
    torch.nn.init.normal_(model.score.weight)
    return model.train()


def _gradient(model: Any) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
