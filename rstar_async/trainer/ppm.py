"""Training the process preference model on packed trees (paper section 3.3, Eq. 4).

All weights are free; the head starts at zero. Pairs of one group weigh 1/(chosen x rejected), and a
step's loss is divided by the sum of its weights, however many forward passes and processes it took.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from msgspec import to_builtins
from transformers import AutoConfig, Trainer, TrainingArguments

from rstar_async.config import PPMConfig, TrainingConfig
from rstar_async.trainer import distributed, oom
from rstar_async.trainer.answer_ordering import AnsweredTree, measure_path_rules
from rstar_async.trainer.attention import kernel_of
from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.checkpoints import Checkpoints, fingerprint
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import Measurements, accuracies, ordering
from rstar_async.trainer.ppm_quality import measure_quality
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.sampler import SamplerOrder, shuffled
from rstar_async.trainer.scorer import complete_folder, load_ppm, scores
from rstar_async.trainer.trainer_args import (
    batch_of,
    checkpoints_for,
    quiet,
    run,
    save_weights,
    trainer_arguments,
)
from rstar_async.trainer.validation import check_trees


def train_ppm(
    start: Path,
    trees: Sequence[PackedTree],
    heldout: Sequence[PackedTree],
    settings: PPMConfig,
    computing: TrainingConfig,
    *,
    scale: float,
    seed: int,
    into: Path,
    progress: TrainingProgress,
    answered: Sequence[AnsweredTree] = (),
) -> dict[str, Any]:
    """Train a head on the policy in `start`, all weights free, save to `into`, return metrics.

    `pair_accuracy` is that of the held-out problems. No pair of theirs was trained on, but the
    policy at the start may have learnt their right solutions. The `answered` trees,
    of the same problems, choose the rule for the value of a path. `scale` is that of
    tanh(raw / scale) in search.
    """
    quiet()
    vocabulary = AutoConfig.from_pretrained(start).get_text_config().vocab_size
    check_trees(trees, vocabulary)
    check_trees(heldout, vocabulary, heldout=True)
    ids = [part for tree in trees for part in _facts(tree)]
    name = fingerprint(start, to_builtins([settings, computing, scale]), seed, ids)
    longest = max(len(tree.input_ids) for tree in trees)

    def train(at_once: int) -> dict[str, Any]:
        with checkpoints_for(progress, name, computing) as checkpoints:
            trainer = PreferenceTrainer(
                start, trees, heldout, settings, computing, scale, at_once, seed, checkpoints
            )
            seconds = run(trainer, trainer.order, checkpoints, computing, progress)
            save_weights(trainer, into)
        measured = {
            **accuracies(trainer.model, trees, heldout, at_once),
            **measure_quality(trainer.model, start, heldout, at_once),
            **measure_path_rules(
                trainer.model,
                answered,
                max_length=settings.max_length,
                max_tokens=settings.max_tokens,
                scale=scale,
            ),
        }
        metrics = {**_metrics(trees, heldout, progress), "steps": trainer.state.global_step}
        metrics = {**metrics, **measured, "train_seconds": round(seconds, 2)}
        return oom.note(metrics, "max_tokens", at_once, settings.max_tokens)

    metrics = oom.with_less_at_once(settings.max_tokens, longest, "tokens", train)
    distributed.on_rank0(lambda: complete_folder(start, into))
    return metrics


class PreferenceTrainer(Trainer):
    """One batch = `batch_trees` trees = one optimiser step, in as many forwards as tokens need."""

    def __init__(
        self,
        start: Path,
        trees: Sequence[PackedTree],
        heldout: Sequence[PackedTree],
        settings: PPMConfig,
        computing: TrainingConfig,
        scale: float,
        at_once: int,
        seed: int,
        checkpoints: Checkpoints,
    ) -> None:
        batch = batch_of(settings.batch_trees, settings.batch_trees, "ppm.batch_trees")
        common = trainer_arguments(settings, computing, batch, seed=seed, folder=checkpoints.folder)
        common["num_train_epochs"] = epochs_of(settings, len(trees))
        padding = -len(trees) % settings.batch_trees if distributed.world_size() > 1 else 0
        self.order: SamplerOrder = shuffled(len(trees), seed, padding)
        self._loss = PPMLoss(settings.objective, settings.pair_loss, scale)
        super().__init__(
            model=load_ppm(start, kernel_of(computing)),
            args=TrainingArguments(**common, remove_unused_columns=False),
            train_dataset=[*trees, *[padding_example(trees[0])] * padding],
            data_collator=lambda batch: {"forwards": forwards(batch, at_once)},
        )
        self._measured = Measurements(heldout, at_once)
        self.add_callback(self._measured)

    def _get_train_sampler(self, *_: Any) -> SamplerOrder:
        return self.order

    def training_step(self, model: Any, inputs: dict[str, Any], *_: Any) -> torch.Tensor:
        """Forward and backward of each part; the ranks' gradients meet at the last one only."""
        model.train()
        parts: list[Forward] = [part.to(self.args.device) for part in inputs["forwards"]]
        # DDP averages the ranks' gradients, so the mean makes this the sum over all weights.
        total = self.accelerator.reduce(self._loss.weight(parts), "mean")
        loss = torch.zeros((), device=self.args.device)
        ordered = torch.zeros_like(loss)
        for part, no_sync in self._passes(model, parts):
            with no_sync:
                with self.compute_loss_context_manager():
                    raw = scores(model, part)
                    share = self._loss.summed(raw, part) / total
                self.accelerator.backward(share)
            loss += share.detach()
            ordered += ordering(raw.detach(), part).sum()
        self._note(ordered, sum(len(part.chosen) for part in parts))
        return loss

    def _note(self, ordered: torch.Tensor, pairs: int) -> None:
        """Points and number of the pairs of this step, of all ranks."""
        counts = torch.stack([ordered, torch.full_like(ordered, pairs)])
        points, of = self.accelerator.reduce(counts, "sum").tolist()
        self._measured.learnt_from(points, of)

    def log(self, logs: dict[str, float], *arguments: Any, **options: Any) -> None:
        super().log({**logs, **self._measured.take()}, *arguments, **options)

    def _passes(
        self, model: Any, parts: Sequence[Forward]
    ) -> Iterator[tuple[Forward, AbstractContextManager[Any]]]:
        """The parts, all but the last without an exchange of gradients. With FSDP every forward
        is an exchange, so those with fewer parts go along with empty ones."""
        if self.is_fsdp_enabled:
            missing = distributed.max_over_ranks(len(parts)) - len(parts)
            parts = [*parts, *[_without_labels(parts[-1])] * missing]
        for part in parts[:-1]:
            yield part, self.accelerator.no_sync(model)
        yield parts[-1], nullcontext()


def epochs_of(settings: PPMConfig, trees: int) -> float:
    """`ppm.epochs`, or as many as `ppm.min_steps` optimiser steps take."""
    steps_per_epoch = -(-trees // settings.batch_trees)
    return max(settings.epochs, settings.min_steps / steps_per_epoch)


def padding_example(tree: PackedTree) -> PackedTree:
    """A tree that teaches nothing: it fills the last batch, so that all ranks make every step."""
    return replace(tree, pairs=[], comparisons=[], targets=[])


def _without_labels(part: Forward) -> Forward:
    kept = ("input_ids", "position_ids", "ends", "scored")
    emptied = [name for name in part.__slots__ if name not in kept]
    return replace(part, **{name: getattr(part, name)[:0] for name in emptied})


def _facts(tree: PackedTree) -> Iterator[Sequence[Any]]:
    """All that decides what a tree teaches, for the fingerprint."""
    yield tree.input_ids
    yield tree.ends
    yield from tree.comparisons
    yield from tree.targets


def _metrics(
    trees: Sequence[PackedTree], heldout: Sequence[PackedTree], progress: TrainingProgress
) -> dict[str, Any]:
    return {
        "trees": len(trees),
        "trees_heldout": len(heldout),
        "pairs": sum(len(tree.pairs) for tree in trees),
        "pairs_heldout": sum(len(tree.pairs) for tree in heldout),
        "targets": sum(len(tree.targets) for tree in trees if not tree.pairs),
        "tokens": sum(len(tree.input_ids) for tree in trees),
        "loss_first": progress.losses[0],
        "loss_last": progress.losses[-1],
    }
