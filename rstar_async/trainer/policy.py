"""SFT of the policy on token ids that were made once, in search (paper section 3.4).

TRL's trainer gets ids and labels and is told to leave them alone: it neither tokenises again, nor
appends an end token, nor cuts rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_progress_bars
from msgspec import to_builtins
from peft import LoraConfig, PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, Trainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer import distributed, oom
from rstar_async.trainer.checkpoint_io import copy_tokenizer
from rstar_async.trainer.checkpoints import Checkpoints, fingerprint
from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.sampler import SamplerOrder, grouped_by_length
from rstar_async.trainer.trainer_args import (
    batch_of,
    checkpoints_for,
    quiet,
    run,
    save_weights,
    trainer_arguments,
)
from rstar_async.trainer.validation import check_rows


def train_policy(
    start: Path,
    rows: Sequence[SFTRow],
    settings: PolicyConfig,
    computing: TrainingConfig,
    *,
    seed: int,
    into: Path,
    progress: TrainingProgress,
) -> dict[str, Any]:
    """Train the model in folder `start` on `rows`, save it to `into`, and return metrics.

    `Refused` for rows that teach nothing. Killed and called again with the same arguments, it goes
    on from its last checkpoint.
    """
    quiet()
    check_rows(rows, AutoConfig.from_pretrained(start).get_text_config().vocab_size)
    ids = [part for row in rows for part in (row.input_ids, row.labels)]
    name = fingerprint(start, to_builtins([settings, computing]), seed, ids)

    def train(at_once: int) -> dict[str, Any]:
        with checkpoints_for(progress, name, computing) as checkpoints:
            trainer = PolicyTrainer(start, rows, settings, computing, at_once, seed, checkpoints)
            seconds = run(trainer, trainer.order, checkpoints, computing, progress)
            save_weights(trainer, into, _merged)
        metrics = {**_metrics(rows, progress), "steps": trainer.state.global_step}
        metrics["train_seconds"] = round(seconds, 2)
        return oom.note(metrics, "micro_batch", at_once, settings.micro_batch)

    metrics = oom.with_less_at_once(settings.micro_batch, 1, "sequences", train)
    distributed.on_rank0(lambda: copy_tokenizer(start, into))
    return metrics


# Teaches nothing: it fills the last batch of a team, so that all its processes make every step.
BLANK = SFTRow([0, 0], [NOT_IN_LOSS, NOT_IN_LOSS])


class PolicyTrainer(SFTTrainer):
    """TRL's trainer over ready rows, whose order depends on the seed alone."""

    def __init__(
        self,
        start: Path,
        rows: Sequence[SFTRow],
        settings: PolicyConfig,
        computing: TrainingConfig,
        at_once: int,
        seed: int,
        checkpoints: Checkpoints,
    ) -> None:
        disable_progress_bars()
        batch = batch_of(settings.batch_size, at_once, "policy.batch_size")
        common = trainer_arguments(settings, computing, batch, seed=seed, folder=checkpoints.folder)
        tokenizer = AutoTokenizer.from_pretrained(start)
        lengths = [len(row.input_ids) for row in rows]
        padding = -len(rows) % settings.batch_size if distributed.world_size() > 1 else 0
        self.order: SamplerOrder = grouped_by_length(lengths, settings.batch_size, seed, padding)
        super().__init__(
            model=AutoModelForCausalLM.from_pretrained(start, dtype="float32"),
            args=SFTConfig(
                **common,
                max_length=None,
                padding_free=settings.packing,
                dataset_kwargs={"skip_prepare_dataset": True},
            ),
            train_dataset=Dataset.from_list(
                [
                    {"input_ids": row.input_ids, "labels": row.labels}
                    for row in [*rows, *[BLANK] * padding]
                ]
            ),
            processing_class=tokenizer,
            peft_config=_adapters(settings, tokenizer),
        )

    def _get_train_sampler(self, *_: Any) -> SamplerOrder:
        return self.order

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        """With adapters by the model's own forward: TRL's fused head reads the weights of tied
        embeddings past PEFT's wrapper, and so without the tags' own rows."""
        if isinstance(self.model, PeftModel):
            return Trainer.compute_loss(self, model, inputs, *args, **options)
        return super().compute_loss(model, inputs, *args, **options)


def _adapters(settings: PolicyConfig, tokenizer: Any) -> LoraConfig | None:
    """Linear layers by adapters; of the embeddings only the tags, which the base has never seen."""
    if not settings.lora.rank:
        return None
    tags = [int(i) for i in tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS))]
    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules="all-linear",
        trainable_token_indices={"embed_tokens": tags},
        task_type="CAUSAL_LM",
    )


def _merged(model: Any) -> Any:
    """The plain model with its adapters, if it has any, added to the weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _metrics(rows: Sequence[SFTRow], progress: TrainingProgress) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "tokens": sum(len(row.input_ids) for row in rows),
        "loss_tokens": sum(row.loss_tokens for row in rows),
        "loss_first": progress.losses[0],
        "loss_last": progress.losses[-1],
    }
