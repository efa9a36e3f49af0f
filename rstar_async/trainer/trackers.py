"""Optional experiment trackers: TensorBoard files, Weights & Biases runs.

A tracker that fails never ends a training: a warning names it and the training runs without it.
"""

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback, WandbCallback

from rstar_async.config import TrainingConfig
from rstar_async.errors import BadInput
from rstar_async.trainer import distributed
from rstar_async.trainer.progress import TrainingProgress

log = logging.getLogger(__name__)


def check_extras(training: TrainingConfig, *, on_gpu: bool | None = None) -> None:
    """`BadInput` for an option that this machine cannot provide; called before any training."""
    if training.liger and not (torch.cuda.is_available() if on_gpu is None else on_gpu):
        raise BadInput("training.liger is on, but its kernels need a GPU and there is none")
    for setting, wanted, module, extra in (
        ("liger", training.liger, "liger_kernel", "liger"),
        ("optimizer", training.optimizer == "adamw_8bit", "torchao", "8bit"),
        ("tensorboard", training.tensorboard, "tensorboard", "curves"),
        ("wandb", training.wandb, "wandb", "curves"),
    ):
        if wanted and importlib.util.find_spec(module) is None:
            raise BadInput(
                f"training.{setting} needs {module}, which is not installed: "
                f"pip install 'rstar-async[{extra}]'"
            )


@contextmanager
def tracker_callbacks(
    training: TrainingConfig, progress: TrainingProgress
) -> Iterator[list[TrainerCallback]]:
    """The trackers' callbacks, on rank 0 only; the trackers are closed when the block ends."""
    with ExitStack() as stack:
        callbacks: list[TrainerCallback] = []
        if training.tensorboard and progress.folder is not None and distributed.is_rank0():
            callbacks.append(_tensorboard(progress))
        if (
            training.wandb
            and distributed.is_rank0()
            and _start_wandb(stack, training.wandb, progress)
        ):
            callbacks.append(WandbCallback())
        yield callbacks


def _tensorboard(progress: TrainingProgress) -> TrainerCallback:
    from torch.utils.tensorboard import SummaryWriter

    assert progress.folder is not None
    return TensorBoardCallback(SummaryWriter(progress.folder / "tensorboard" / progress.name))


def _start_wandb(stack: ExitStack, project: str, progress: TrainingProgress) -> bool:
    """Start a run of Weights & Biases that ends with `stack`; whether that succeeded.

    Each training has its own run: without one, the callback would put all trainings into the first.
    """
    import wandb

    settings = wandb.Settings(silent=True, console="off", disable_git=True)
    try:
        wandb_run: Any = wandb.init(
            project=project,
            name=progress.name,
            dir=progress.folder,
            settings=settings,
            reinit="finish_previous",
        )
    except wandb.Error as error:
        log.warning(
            "training.wandb: this training is not tracked there", extra={"reason": str(error)}
        )
        return False
    stack.enter_context(wandb_run)
    return True
