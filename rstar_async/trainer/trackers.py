"""Curves that others draw, on request: files for TensorBoard, a run of Weights & Biases.

Neither can end a training: one that cannot be had is named in a warning, and nothing is drawn.
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


def check_extras(computing: TrainingConfig, *, on_gpu: bool | None = None) -> None:
    """`BadInput` for an option that cannot be had here; asked before anything is trained."""
    if computing.liger and not (torch.cuda.is_available() if on_gpu is None else on_gpu):
        raise BadInput("training.liger is on, but its kernels need a GPU and there is none")
    for setting, wanted, module, extra in (
        ("liger", computing.liger, "liger_kernel", "liger"),
        ("tensorboard", computing.tensorboard, "tensorboard", "curves"),
        ("wandb", computing.wandb, "wandb", "curves"),
    ):
        if wanted and importlib.util.find_spec(module) is None:
            raise BadInput(
                f"training.{setting} is on, but {module} is not installed: "
                f"pip install 'rstar-async[{extra}]'"
            )


@contextmanager
def curves(
    computing: TrainingConfig, progress: TrainingProgress
) -> Iterator[list[TrainerCallback]]:
    """What draws while the block lasts; the leader of a team draws for all."""
    with ExitStack() as stack:
        found: list[TrainerCallback] = []
        if computing.tensorboard and progress.place is not None and distributed.is_rank0():
            found.append(_tensorboard(progress))
        if computing.wandb and distributed.is_rank0() and _begun(stack, computing.wandb, progress):
            found.append(WandbCallback())
        yield found


def _tensorboard(progress: TrainingProgress) -> TrainerCallback:
    from torch.utils.tensorboard import SummaryWriter

    assert progress.place is not None
    return TensorBoardCallback(SummaryWriter(progress.place / "tensorboard" / progress.name))


def _begun(stack: ExitStack, project: str, progress: TrainingProgress) -> bool:
    """Whether a run of Weights & Biases goes on now, one for every training; it ends with `stack`.

    The callback takes the run that goes on; left to itself it would put all trainings into one.
    """
    import wandb

    quietly = wandb.Settings(silent=True, console="off", disable_git=True)
    try:
        begun: Any = wandb.init(
            project=project,
            name=progress.name,
            dir=progress.place,
            settings=quietly,
            reinit="finish_previous",
        )
    except wandb.Error as error:
        facts = {"reason": str(error)}
        log.warning("training.wandb: this training has no curves there", extra=facts)
        return False
    stack.enter_context(begun)
    return True
