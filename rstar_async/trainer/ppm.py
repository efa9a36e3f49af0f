"""Training the process preference model on packed trees (paper section 3.3, Eq. 4).

All weights are trained, or adapters and the head; the head starts at zero. Pairs of one group weigh
1/(chosen x rejected), and a step's loss is divided by the sum of its weights, so the number of
forward passes and processes does not change it.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from msgspec import to_builtins
from peft import PeftModel
from transformers import AutoConfig, PreTrainedTokenizerFast, Trainer, TrainingArguments

from rstar_async.config import PPMConfig, TrainingConfig
from rstar_async.trainer import distributed, oom, worst_pairs
from rstar_async.trainer.adapters import ppm_adapters
from rstar_async.trainer.answer_ordering import AnsweredTree, measure_path_rules
from rstar_async.trainer.attention import kernel_of
from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.checkpoints import Checkpoints, fingerprint
from rstar_async.trainer.early_stopping import EarlyStopping, accuracy_by_problem, split_heldout
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import (
    AccuracyLog,
    accuracies,
    ordering,
    score_pairs,
    training_sample,
)
from rstar_async.trainer.ppm_quality import FEWEST_PROBLEMS, measure_quality
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.sampler import EpochSampler, shuffled
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

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PPMJob:
    """What a PPM is trained on, and how.

    `start` is the folder of the policy whose weights it starts from, `scale` that of
    tanh(raw / scale) in search. No pair of the `heldout` trees is trained on, but the policy may
    have learnt their right solutions. With `ppm.patience` half of their problems choose the step,
    and the others measure the PPM. The `answered` trees, of the same problems, choose the rule
    for the value of a path. `reference` is the folder of a policy that has learnt none of all
    trees, by whose probabilities a baseline orders pairs; by default the policy in `start`.
    """

    start: Path
    trees: Sequence[PackedTree]
    heldout: Sequence[PackedTree]
    settings: PPMConfig
    training: TrainingConfig
    scale: float
    seed: int
    answered: Sequence[AnsweredTree] = ()
    reference: Path | None = None

    @cached_property
    def choosing(self) -> Sequence[PackedTree]:
        """The held-out trees by which early stopping chooses a step."""
        return split_heldout(self.heldout)[0] if self.settings.patience else []

    @cached_property
    def measuring(self) -> Sequence[PackedTree]:
        """The held-out trees that say how good the finished PPM is."""
        return split_heldout(self.heldout)[1] if self.settings.patience else self.heldout

    def fingerprint(self) -> str:
        deciding = [*self.trees, *self.choosing]
        ids = [part for tree in deciding for part in _learnt_content(tree)]
        settings = to_builtins([self.settings, self.training, self.scale])
        return fingerprint(self.start, settings, self.seed, ids)


def train_ppm(job: PPMJob, *, into: Path, progress: TrainingProgress) -> dict[str, Any]:
    """Train a scalar head and the policy's weights, or adapters in them, save the plain model to
    `into`, and return metrics, the pairs that it gets most wrong among them.

    `Refused` for trees that teach nothing. Killed and called again with the same job, it resumes
    from its last checkpoint.
    """
    quiet()
    vocabulary = AutoConfig.from_pretrained(job.start).get_text_config().vocab_size
    check_trees(job.trees, vocabulary)
    check_trees(job.heldout, vocabulary, heldout=True)
    _warn_without_choice(job)
    longest = max(len(tree.input_ids) for tree in job.trees)
    configured = job.settings.max_tokens

    def train(max_tokens: int) -> dict[str, Any]:
        with checkpoints_for(progress, job.fingerprint(), job.training) as checkpoints:
            trainer = PreferenceTrainer(job, max_tokens, checkpoints)
            seconds = run(trainer, trainer.sampler, checkpoints, job.training, progress)
            progress.end()
            trainer.early_stopping.restore(trainer.model)
            measured = _measured(trainer.model, job, max_tokens)
            save_weights(trainer, into)
        metrics = {**_metrics(job, progress), "steps": trainer.state.global_step}
        metrics |= trainer.early_stopping.metrics()
        metrics |= {**measured, "train_seconds": round(seconds, 2)}
        return oom.with_reduced_size(metrics, "max_tokens", max_tokens, configured)

    metrics = oom.halve_on_oom(configured, longest, "tokens", train)
    distributed.on_rank0(lambda: complete_folder(job.start, into))
    return metrics


def _warn_without_choice(job: PPMJob) -> None:
    if job.settings.patience and not job.choosing:
        problems = len({tree.problem_id for tree in job.heldout})
        log.warning(
            "ppm.patience is not used: it needs held-out problems to choose a step by and others "
            "to measure on, at least %d each; raise ppm.heldout_share",
            FEWEST_PROBLEMS,
            extra={"heldout_problems": problems},
        )


def _measured(model: Any, job: PPMJob, max_tokens: int) -> dict[str, Any]:
    """How well the trained model orders pairs and answers."""
    heldout = score_pairs(model, job.measuring, max_tokens)
    trained_on = score_pairs(model, training_sample(job.trees), max_tokens)
    return {
        worst_pairs.KEY: worst_pairs.worst_pairs(heldout),
        **accuracies(heldout, trained_on),
        **measure_quality(
            heldout,
            job.measuring,
            job.reference or job.start,
            further=job.trees if job.reference else (),
        ),
        **measure_path_rules(
            model,
            job.answered,
            max_length=job.settings.max_length,
            max_tokens=job.settings.max_tokens,
            scale=job.scale,
        ),
    }


class PreferenceTrainer(Trainer):
    """One batch = `batch_trees` trees = one optimiser step, in passes of at most `max_tokens`."""

    def __init__(self, job: PPMJob, max_tokens: int, checkpoints: Checkpoints) -> None:
        settings, trees = job.settings, job.trees
        batch = batch_of(settings.batch_trees, settings.batch_trees, "ppm.batch_trees")
        common = trainer_arguments(
            settings, job.training, batch, seed=job.seed, folder=checkpoints.folder
        )
        common["num_train_epochs"] = epochs_of(settings, len(trees))
        padding = -len(trees) % settings.batch_trees if distributed.world_size() > 1 else 0
        self.sampler: EpochSampler = shuffled(len(trees), job.seed, padding)
        self._loss = PPMLoss(settings.objective, settings.pair_loss, job.scale)
        super().__init__(
            model=_scorer(job),
            args=TrainingArguments(**common, remove_unused_columns=False),
            train_dataset=[*trees, *[padding_example(trees[0])] * padding],
            data_collator=lambda batch: {"forwards": forwards(batch, max_tokens)},
        )
        self._accuracy = AccuracyLog(job.measuring, max_tokens)
        self.add_callback(self._accuracy)
        self.early_stopping = EarlyStopping(
            lambda model: accuracy_by_problem(model, job.choosing, max_tokens),
            settings.patience if job.choosing else 0,
            checkpoints,
        )
        self.add_callback(self.early_stopping)

    def _get_train_sampler(self, *_: Any) -> EpochSampler:
        return self.sampler

    def training_step(self, model: Any, inputs: dict[str, Any], *_: Any) -> torch.Tensor:
        """Forward and backward of each part; the ranks exchange gradients at the last one only."""
        model.train()
        parts: list[Forward] = [part.to(self.args.device) for part in inputs["forwards"]]
        # DDP averages the ranks' gradients, so the mean makes this the sum over all weights.
        total = self.accelerator.reduce(self._loss.weight(parts), "mean")
        loss = torch.zeros((), device=self.args.device)
        points = torch.zeros_like(loss)
        for part, no_sync in self._passes(model, parts):
            with no_sync:
                with self.compute_loss_context_manager():
                    raw = scores(model, part)
                    share = self._loss.summed(raw, part) / total
                self.accelerator.backward(share)
            loss += share.detach()
            points += ordering(raw.detach(), part).sum()
        self._log_accuracy(points, sum(len(part.chosen) for part in parts))
        return loss

    def _log_accuracy(self, points: torch.Tensor, pairs: int) -> None:
        """Sum the points and the number of this step's pairs over all ranks."""
        counts = torch.stack([points, torch.full_like(points, pairs)])
        total_points, total_pairs = self.accelerator.reduce(counts, "sum").tolist()
        self._accuracy.add_step(total_points, total_pairs)

    def log(self, logs: dict[str, float], *arguments: Any, **options: Any) -> None:
        super().log({**logs, **self._accuracy.take()}, *arguments, **options)

    def _passes(
        self, model: Any, parts: Sequence[Forward]
    ) -> Iterator[tuple[Forward, AbstractContextManager[Any]]]:
        """The parts; ranks exchange gradients at the last one only. FSDP communicates in every
        forward pass, so there a rank with fewer parts adds some without labels."""
        if self.is_fsdp_enabled:
            missing = distributed.max_over_ranks(len(parts)) - len(parts)
            parts = [*parts, *[_without_labels(parts[-1])] * missing]
        for part in parts[:-1]:
            yield part, self.accelerator.no_sync(model)
        yield parts[-1], nullcontext()


def _scorer(job: PPMJob) -> Any:
    """The model to train, with its adapters, if it has any."""
    model = load_ppm(job.start, kernel_of(job.training), job.training.weights)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(job.start)
    adapters = ppm_adapters(job.settings.lora, tokenizer)
    if adapters is None:
        return model
    torch.manual_seed(job.seed)  # transformers' trainer does so, but only after this
    return PeftModel(model, adapters)


def epochs_of(settings: PPMConfig, trees: int) -> float:
    """`ppm.epochs`, or as many as `ppm.min_steps` optimiser steps take."""
    steps_per_epoch = -(-trees // settings.batch_trees)
    return max(settings.epochs, settings.min_steps / steps_per_epoch)


def padding_example(tree: PackedTree) -> PackedTree:
    """A tree without labels, to fill the last batch so that every rank takes every step."""
    return replace(tree, pairs=[], comparisons=[], targets=[])


def _without_labels(part: Forward) -> Forward:
    kept = ("input_ids", "position_ids", "ends", "scored")
    emptied = [name for name in part.__slots__ if name not in kept]
    return replace(part, **{name: getattr(part, name)[:0] for name in emptied})


def _learnt_content(tree: PackedTree) -> Iterator[Sequence[Any]]:
    """What the fingerprint covers of a tree: all that changes what is learnt from it."""
    yield tree.input_ids
    yield tree.ends
    yield from tree.pairs
    yield from tree.comparisons
    yield from tree.targets


def _metrics(job: PPMJob, progress: TrainingProgress) -> dict[str, Any]:
    trees, heldout = job.trees, job.heldout
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
