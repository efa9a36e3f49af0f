"""What both trainings share: the trainers' arguments, progress, and a clean stop."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.utils import logging

from rstar_async.errors import RstarError


class Stopped(RstarError):
    """The process was asked to end; what was being trained is given up."""


@dataclass
class Watch:
    """Where a training reports to, and where it learns that it should end.

    One JSON line a step goes to `file` (the progress bars read it) and to `lines` (the model's
    own metrics).
    """

    phase: str
    round_number: int = 0
    file: Path | None = None
    should_stop: Callable[[], bool] = lambda: False
    lines: list[dict[str, Any]] = field(default_factory=list)

    def report(self, step: int, total: int, loss: float | None) -> None:
        """Append one line; `loss` is None before the first step."""
        line = {
            "phase": self.phase,
            "round": self.round_number,
            "step": step,
            "total": total,
            "loss": loss,
        }
        self.lines.append({**line, "time": time.time()})
        if self.file is not None:
            with self.file.open("a") as file:
                file.write(json.dumps(line) + "\n")

    @property
    def losses(self) -> list[float]:
        return [line["loss"] for line in self.lines if line["loss"] is not None]


class _Reports(TrainerCallback):
    """Passes the trainer's log on to the watch, and the watch's wish to stop to the trainer."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._watch.report(0, state.max_steps, None)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs: Mapping[str, float] = kwargs["logs"]
        if "loss" in logs:
            self._watch.report(state.global_step, state.max_steps, float(logs["loss"]))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._watch.should_stop():
            control.should_training_stop = True


def trainer_arguments(
    *,
    scratch: Path,
    seed: int,
    epochs: float,
    learning_rate: float,
    schedule: Literal["linear", "cosine", "constant"],
    weight_decay: float,
    micro_batch: int,
    accumulation: int,
    dtype: str,
) -> dict[str, Any]:
    """The arguments that policy and PPM have in common. Nothing is saved on the way."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(scratch),
        "num_train_epochs": epochs,
        "learning_rate": learning_rate,
        "lr_scheduler_type": schedule,
        "weight_decay": weight_decay,
        "per_device_train_batch_size": micro_batch,
        "gradient_accumulation_steps": accumulation,
        "seed": seed,
        "data_seed": seed,
        "use_cpu": not on_gpu,
        # Mixed precision: the weights stay float32, and are saved so.
        "bf16": dtype == "bfloat16" or (on_gpu and dtype == "auto"),
        "gradient_checkpointing": on_gpu,
        "dataloader_pin_memory": on_gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
    }


def run(trainer: Trainer, watch: Watch) -> float:
    """Train and give the seconds it took; `Stopped` if it was asked to end before it was done."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Reports(watch))
    started = time.monotonic()
    trainer.train()
    if watch.should_stop():
        raise Stopped(f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}")
    return time.monotonic() - started


def quiet() -> None:
    """No bars and no advice from transformers: a new head is meant to be newly initialised."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
