"""SFT of the policy on token ids that were made once, in search (paper section 3.4).

TRL's trainer gets ids and labels and is told to leave them alone: it neither tokenises again, nor
appends an end token, nor cuts rows.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset, disable_progress_bars
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from rstar_async.config import PolicyTraining
from rstar_async.trainer.dataset import SFTRow
from rstar_async.trainer.folders import copy_tokenizer
from rstar_async.trainer.optimisation import Watch, quiet, run, trainer_arguments


def train_policy(
    start: Path,
    rows: Sequence[SFTRow],
    settings: PolicyTraining,
    *,
    seed: int,
    dtype: str,
    into: Path,
    watch: Watch,
) -> dict[str, Any]:
    """Train the model in folder `start` on `rows`, save it to `into`, and return metrics."""
    quiet()
    with TemporaryDirectory() as scratch:
        trainer = make_trainer(start, rows, settings, seed=seed, dtype=dtype, scratch=Path(scratch))
        seconds = run(trainer, watch)
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(into)
    copy_tokenizer(start, into)
    return {
        "rows": len(rows),
        "tokens": sum(len(row.input_ids) for row in rows),
        "loss_tokens": sum(row.loss_tokens for row in rows),
        "steps": trainer.state.global_step,
        "loss_first": watch.losses[0],
        "loss_last": watch.losses[-1],
        "train_seconds": round(seconds, 2),
    }


def make_trainer(
    start: Path,
    rows: Sequence[SFTRow],
    settings: PolicyTraining,
    *,
    seed: int,
    dtype: str,
    scratch: Path,
) -> SFTTrainer:
    """The trainer, ready to train; rows of similar length share a batch, so little is padding."""
    disable_progress_bars()
    micro_batch = min(settings.micro_batch, settings.batch_size)
    arguments = SFTConfig(
        **trainer_arguments(
            scratch=scratch,
            seed=seed,
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            schedule=settings.schedule,
            weight_decay=settings.weight_decay,
            micro_batch=micro_batch,
            accumulation=-(-settings.batch_size // micro_batch),
            dtype=dtype,
        ),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="group_by_length",
    )
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(start, dtype="float32"),
        args=arguments,
        train_dataset=Dataset.from_list(
            [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
        ),
        processing_class=AutoTokenizer.from_pretrained(start),
    )
