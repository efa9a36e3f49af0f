"""SFT of the policy on the token ids that search generated (paper section 3.4).

TRL's trainer gets ids and labels and uses them unchanged: it does not tokenise, append an end token
or truncate rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_progress_bars
from msgspec import to_builtins
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, Trainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.trainer import distributed, oom
from rstar_async.trainer.adapters import policy_adapters
from rstar_async.trainer.attention import with_row_attention
from rstar_async.trainer.checkpoint_io import copy_tokenizer
from rstar_async.trainer.checkpoints import Checkpoints, fingerprint
from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.sampler import EpochSampler, grouped_by_length
from rstar_async.trainer.trainer_args import (
    batch_of,
    checkpoints_for,
    quiet,
    run,
    save_weights,
    trainer_arguments,
)
from rstar_async.trainer.validation import check_rows


@dataclass(frozen=True)
class PolicyJob:
    """SFT of the model in folder `start` on `rows`."""

    start: Path
    rows: Sequence[SFTRow]
    settings: PolicyConfig
    training: TrainingConfig
    seed: int

    def fingerprint(self) -> str:
        ids = [part for row in self.rows for part in (row.input_ids, row.labels)]
        return fingerprint(self.start, to_builtins([self.settings, self.training]), self.seed, ids)


def train_policy(job: PolicyJob, *, into: Path, progress: TrainingProgress) -> dict[str, Any]:
    """Train, save the model and its tokenizer to `into`, and return metrics.

    `Refused` for rows that teach nothing. Killed and called again with the same job, it resumes
    from its last checkpoint.
    """
    quiet()
    check_rows(job.rows, AutoConfig.from_pretrained(job.start).get_text_config().vocab_size)
    configured = job.settings.micro_batch

    def train(micro_batch: int) -> dict[str, Any]:
        with checkpoints_for(progress, job.fingerprint(), job.training) as checkpoints:
            trainer = PolicyTrainer(job, micro_batch, checkpoints)
            seconds = run(trainer, trainer.sampler, checkpoints, job.training, progress)
            save_weights(trainer, into)
        metrics = {**_metrics(job.rows, progress), "steps": trainer.state.global_step}
        metrics["train_seconds"] = round(seconds, 2)
        return oom.with_reduced_size(metrics, "micro_batch", micro_batch, configured)

    metrics = oom.halve_on_oom(configured, 1, "sequences", train)
    distributed.on_rank0(lambda: copy_tokenizer(job.start, into))
    return metrics


# On CPUs lengths are multiples of it: freed blocks of a few sizes are used again, and those of ever
# new sizes filled the memory.
LENGTH_UNIT = 16

# A row without labels, to fill the last batch so that every rank takes every step.
PADDING_ROW = SFTRow([0, 0], [NOT_IN_LOSS, NOT_IN_LOSS])


class PolicyTrainer(SFTTrainer):
    """TRL's trainer over rows of token ids, in an order that depends on the seed alone."""

    def __init__(self, job: PolicyJob, micro_batch: int, checkpoints: Checkpoints) -> None:
        disable_progress_bars()
        settings, rows = job.settings, job.rows
        batch = batch_of(settings.batch_size, micro_batch, "policy.batch_size")
        common = trainer_arguments(
            settings, job.training, batch, seed=job.seed, folder=checkpoints.folder
        )
        tokenizer = PreTrainedTokenizerFast.from_pretrained(job.start)
        lengths = [len(row.input_ids) for row in rows]
        padding = -len(rows) % settings.batch_size if distributed.world_size() > 1 else 0
        self.sampler: EpochSampler = grouped_by_length(
            lengths, settings.batch_size, job.seed, padding
        )
        policy = with_row_attention(
            AutoModelForCausalLM.from_pretrained(job.start, dtype=job.training.weights),
            longest=sum(lengths) if settings.packing else max(lengths),
            in_bfloat16_on_cpu=common["bf16"] and common["use_cpu"],
        )
        # Models that bring their own code may not know how to.
        can_leave_out_logits = "logits_to_keep" in signature(type(policy).forward).parameters
        super().__init__(
            model=policy,
            args=SFTConfig(
                **common,
                max_length=None,
                padding_free=settings.packing,
                pad_to_multiple_of=_length_unit(policy) if common["use_cpu"] else None,
                dataset_kwargs={"skip_prepare_dataset": True},
            ),
            train_dataset=Dataset.from_list(
                [
                    {"input_ids": row.input_ids, "labels": row.labels}
                    for row in [*rows, *[PADDING_ROW] * padding]
                ]
            ),
            processing_class=tokenizer,
            peft_config=policy_adapters(settings.lora, tokenizer),
        )
        self._leaves_out_logits = self.args.device.type == "cpu" and can_leave_out_logits

    def _get_train_sampler(self, *_: Any) -> EpochSampler:
        return self.sampler

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        """By the model's own forward pass on CPUs and with adapters.

        On CPUs TRL's fused head scores all tokens, and again in the backward pass; here none before
        the first that is learnt. With adapters it reads the weights of tied embeddings directly,
        bypassing PEFT's wrapper and the rows that it trains for the tags.
        """
        if self._leaves_out_logits:
            inputs = _without_prompts(inputs)
        elif not isinstance(self.model, PeftModel):
            return super().compute_loss(model, inputs, *args, **options)
        return Trainer.compute_loss(self, model, inputs, *args, **options)


def _length_unit(policy: Any) -> int | None:
    """None where the longest row that the model can take would be made longer than that."""
    longest = getattr(policy.config.get_text_config(), "max_position_embeddings", None) or 0
    return None if longest % LENGTH_UNIT else LENGTH_UNIT


def _without_prompts(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The same batch with logits from the first one that a label is compared with, in any row."""
    labels = inputs["labels"]
    length = labels.shape[1]
    learnt = (labels != NOT_IN_LOSS).any(0).nonzero()
    needed = length - max(int(learnt[0]) - 1, 0) if len(learnt) else length
    kept = min(length, -(-needed // LENGTH_UNIT) * LENGTH_UNIT)
    return {**inputs, "labels": labels[:, -kept:], "logits_to_keep": kept}


def _metrics(rows: Sequence[SFTRow], progress: TrainingProgress) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "tokens": sum(len(row.input_ids) for row in rows),
        "loss_tokens": sum(row.loss_tokens for row in rows),
        "loss_first": progress.losses[0],
        "loss_last": progress.losses[-1],
    }
