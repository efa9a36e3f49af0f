"""What both trainings share: the trainers' arguments, running one, and stopping it cleanly."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from transformers import PrinterCallback, Trainer
from transformers.utils import logging

from rstar_async.config import PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.engines.precision import fastest_dtype
from rstar_async.errors import BadInput
from rstar_async.trainer import distributed
from rstar_async.trainer.adapters import merged
from rstar_async.trainer.checkpoints import KEPT, Checkpoints, SaveCheckpoints, checkpoints_in
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.progress import ReportProgress, TrainingProgress
from rstar_async.trainer.sampler import EpochSampler, SetEpoch
from rstar_async.trainer.trackers import tracker_callbacks

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """The batch of an optimiser step: `micro` examples per process and forward pass, accumulated
    over `accumulation` passes."""

    micro: int
    accumulation: int


def batch_of(size: int, micro: int, setting: str) -> Batch:
    """Exactly `size` examples per step, at most `micro` per process and pass; `BadInput` naming
    `setting` if the processes cannot share them evenly."""
    share, rest = divmod(size, distributed.world_size())
    if rest:
        raise BadInput(
            f"{setting} is {size}, which {distributed.world_size()} processes cannot share evenly"
        )
    fitting = max(n for n in range(1, min(micro, share) + 1) if share % n == 0)
    return Batch(fitting, share // fitting)


def trainer_arguments(
    settings: PolicyConfig | PPMConfig,
    training: TrainingConfig,
    batch: Batch,
    *,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """The arguments that policy and PPM have in common; checkpoints go to `folder`."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "weight_decay": settings.weight_decay,
        "per_device_train_batch_size": batch.micro,
        "gradient_accumulation_steps": batch.accumulation,
        "seed": seed,
        "data_seed": seed,
        "use_cpu": not on_gpu,
        # Mixed precision: the weights have the type `training.weights`.
        "bf16": _is_mixed(training, on_gpu),
        "gradient_checkpointing": training.has_gradient_checkpointing(on_gpu),
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "use_liger_kernel": training.liger,
        **_OPTIMIZERS[training.optimizer],
        "dataloader_pin_memory": on_gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "save_total_limit": KEPT,
        "report_to": [],
        "disable_tqdm": True,
        **_sharding(training, on_gpu),
    }


# By transformers' names. The rounding concerns bfloat16 weights alone.
_OPTIMIZERS: Mapping[str, Mapping[str, str]] = {
    "adamw": {},
    "adamw_8bit": {"optim": "adamw_torch_8bit", "optim_args": "bf16_stochastic_round=True"},
}


def _is_mixed(training: TrainingConfig, on_gpu: bool) -> bool:
    """Whether products are computed in bfloat16."""
    if training.dtype == "fastest":
        device = torch.device("cuda" if on_gpu else "cpu")
        return fastest_dtype(device) == torch.bfloat16
    return training.dtype == "bfloat16" or (training.dtype == "auto" and on_gpu)


def _sharding(training: TrainingConfig, on_gpu: bool) -> dict[str, Any]:
    """FSDP2 by accelerate, which supports it on GPUs only; otherwise several processes use DDP."""
    if training.sharding == "fsdp" and not on_gpu:
        raise BadInput("training.sharding is fsdp, which needs GPUs; use ddp or auto")
    if distributed.world_size() == 1 or training.sharding == "ddp" or not on_gpu:
        return {}
    if training.weights == "bfloat16":
        raise BadInput("training.weights is bfloat16, which cannot be sharded; use ddp")
    return {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "reshard_after_forward": True,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "state_dict_type": "SHARDED_STATE_DICT",
            "activation_checkpointing": training.has_gradient_checkpointing(on_gpu),
        },
        "gradient_checkpointing": False,
    }


@contextmanager
def checkpoints_for(
    progress: TrainingProgress, fingerprint: str, training: TrainingConfig
) -> Iterator[Checkpoints]:
    """The training's checkpoints, in the folder of `progress` or, without any, a temporary one."""
    if progress.folder is not None and training.checkpoint_seconds > 0:
        folder = progress.folder / "checkpoints" / progress.name
        yield checkpoints_in(folder, fingerprint, training.checkpoint_seconds)
    else:
        with TemporaryDirectory() as scratch:
            yield Checkpoints(Path(scratch), 0)


def run(
    trainer: Trainer,
    sampler: EpochSampler,
    checkpoints: Checkpoints,
    training: TrainingConfig,
    progress: TrainingProgress,
) -> float:
    """Train, from the latest checkpoint if there is one, and return the seconds it took; `Stopped`
    if it was asked to end before its last step."""
    saver = SaveCheckpoints(checkpoints, progress.should_stop)
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    latest = checkpoints.latest()
    with tracker_callbacks(training, progress) as trackers:
        for callback in (ReportProgress(progress), SetEpoch(sampler), saver, *trackers):
            trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=str(latest) if latest else None)
    if saver.stopped:
        raise Stopped(f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}")
    return time.monotonic() - started


def save_weights(trainer: Trainer, into: Path) -> None:
    """Save the trained model as a plain one in float32; the shards of several processes are
    gathered. The model of `trainer` is not usable afterwards."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not trainer.is_fsdp_enabled:
        # On the CPU: a GPU that trained in bfloat16 may have no room for float32.
        distributed.on_rank0(lambda: merged(model.to("cpu")).save_pretrained(into))
        return
    plain = merged(model)
    weights = trainer.accelerator.get_state_dict(plain)
    distributed.on_rank0(lambda: plain.save_pretrained(into, state_dict=weights))


def quiet() -> None:
    """Silence transformers: no progress bars, no warning about the newly initialised head."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
