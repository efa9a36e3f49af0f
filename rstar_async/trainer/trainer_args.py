"""What both trainings share: the trainers' arguments, the run of one, and a clean stop."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from transformers import PrinterCallback, Trainer
from transformers.utils import logging

from rstar_async.config import PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.errors import BadInput
from rstar_async.trainer import distributed
from rstar_async.trainer.checkpoints import Checkpoints, SaveCheckpoints, checkpoints_in
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.progress import ReportProgress, TrainingProgress
from rstar_async.trainer.sampler import SamplerOrder, SetEpoch
from rstar_async.trainer.trackers import curves

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """How one optimiser step is put together: examples per process and forward, and how often."""

    micro: int
    accumulation: int


def batch_of(size: int, micro: int, setting: str) -> Batch:
    """Exactly `size` examples a step, at most `micro` of them at once in each process."""
    share, rest = divmod(size, distributed.world_size())
    if rest:
        raise BadInput(
            f"{setting} is {size}, which {distributed.world_size()} processes cannot share evenly"
        )
    at_once = max(n for n in range(1, min(micro, share) + 1) if share % n == 0)
    return Batch(at_once, share // at_once)


def trainer_arguments(
    learning: PolicyConfig | PPMConfig,
    computing: TrainingConfig,
    batch: Batch,
    *,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """The arguments that policy and PPM have in common; checkpoints go to `folder`."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": learning.epochs,
        "learning_rate": learning.learning_rate,
        "lr_scheduler_type": learning.schedule,
        "weight_decay": learning.weight_decay,
        "per_device_train_batch_size": batch.micro,
        "gradient_accumulation_steps": batch.accumulation,
        "seed": seed,
        "data_seed": seed,
        "use_cpu": not on_gpu,
        # Mixed precision: the weights stay float32, and are saved so.
        "bf16": computing.dtype == "bfloat16" or (on_gpu and computing.dtype == "auto"),
        "gradient_checkpointing": _is_on(computing.gradient_checkpointing, on_gpu),
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "use_liger_kernel": computing.liger,
        "dataloader_pin_memory": on_gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "save_total_limit": 2,
        "report_to": [],
        "disable_tqdm": True,
        **_sharding(computing, on_gpu),
    }


def _is_on(choice: str, on_gpu: bool) -> bool:
    return choice == "on" or (choice == "auto" and on_gpu)


def _sharding(computing: TrainingConfig, on_gpu: bool) -> dict[str, Any]:
    """FSDP2 by accelerate, which knows it on GPUs only; otherwise a team is DDP."""
    if computing.sharding == "fsdp" and not on_gpu:
        raise BadInput("training.sharding is fsdp, which needs GPUs; use ddp or auto")
    if distributed.world_size() == 1 or computing.sharding == "ddp" or not on_gpu:
        return {}
    return {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "reshard_after_forward": True,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "state_dict_type": "SHARDED_STATE_DICT",
            "activation_checkpointing": _is_on(computing.gradient_checkpointing, on_gpu),
        },
        "gradient_checkpointing": False,
    }


@contextmanager
def checkpoints_for(
    progress: TrainingProgress, fingerprint: str, computing: TrainingConfig
) -> Iterator[Checkpoints]:
    """Where a training keeps its checkpoints: in the watch's place, or nowhere for long."""
    if progress.place is not None and computing.checkpoint_seconds > 0:
        place = progress.place / "checkpoints" / progress.name
        yield checkpoints_in(place, fingerprint, computing.checkpoint_seconds)
    else:
        with TemporaryDirectory() as scratch:
            yield Checkpoints(Path(scratch), 0)


def run(
    trainer: Trainer,
    order: SamplerOrder,
    checkpoints: Checkpoints,
    computing: TrainingConfig,
    progress: TrainingProgress,
) -> float:
    """Train, from the latest checkpoint on if there is one, and give the seconds it took;
    `Stopped` if it was asked to end before it was done."""
    keeper = SaveCheckpoints(checkpoints, progress.should_stop)
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    latest = checkpoints.latest()
    with curves(computing, progress) as drawn:
        for callback in (ReportProgress(progress), SetEpoch(order), keeper, *drawn):
            trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=str(latest) if latest else None)
    if keeper.stopped:
        raise Stopped(f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}")
    return time.monotonic() - started


def save_weights(trainer: Trainer, into: Path, finish: Callable[[Any], Any] = lambda m: m) -> None:
    """Write the trained model (`finish` may change it first); with a team, gathered and once."""
    model = finish(trainer.accelerator.unwrap_model(trainer.model))
    if distributed.world_size() == 1:
        model.save_pretrained(into)
        return
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    distributed.on_rank0(lambda: model.save_pretrained(into, state_dict=weights))


def quiet() -> None:
    """No bars and no advice from transformers: a new head is meant to be newly initialised."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
