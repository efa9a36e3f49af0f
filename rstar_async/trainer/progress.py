"""Reports the progress of a training, and asks whether it should stop."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rstar_async.trainer import distributed
from rstar_async.trainer.errors import Refused

CURVES = ("loss", "learning_rate", "grad_norm", "epoch", "pair_accuracy_train", "pair_accuracy")
# The fields that are written to the file.
SHOWN = (
    *("phase", "round", "step", "total", "loss", "pair_accuracy_train", "pair_accuracy"),
    "time",
)


@dataclass
class TrainingProgress:
    """One record per step goes to `step_log` (published with the model), as a JSON line to `file`
    (read by the progress bars), and to `show`. `folder` is for checkpoints and tracker files; with
    None there are none."""

    phase: str
    round_number: int = 0
    file: Path | None = None
    folder: Path | None = None
    should_stop: Callable[[], bool] = lambda: False
    show: Callable[[Mapping[str, Any]], None] = lambda _: None
    step_log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.phase}-r{self.round_number:03d}"

    @property
    def losses(self) -> list[float]:
        return [record["loss"] for record in self.step_log if record["loss"] is not None]

    def begin(self, total: int, done: list[dict[str, Any]]) -> None:
        """A training of `total` steps begins, or resumes after the log entries in `done`."""
        resumed = [self._from_log(entry, total) for entry in done]
        self.step_log = [self._record(0, total, {"loss": None}), *resumed]
        self._emit(self.step_log[-1])

    def report(self, entry: dict[str, Any], total: int) -> None:
        """Record a step; `Refused` if its loss is not finite, since no later one would be."""
        record = self._from_log(entry, total)
        if not math.isfinite(record["loss"]):
            raise Refused(
                f"{self.phase}: the loss is {record['loss']} at step {record['step']} of {total}; "
                "try a lower learning rate"
            )
        self.step_log.append(record)
        self._emit(record)

    def end(self) -> None:
        """Say that no more steps come, if the training ended before its last one."""
        last = self.step_log[-1]
        if last["step"] < last["total"]:
            self._emit({**last, "total": last["step"]})

    def _from_log(self, entry: Mapping[str, Any], total: int) -> dict[str, Any]:
        values = {name: float(entry[name]) for name in CURVES if name in entry}
        return {**self._record(entry["step"], total, values), "time": entry["time"]}

    def _record(self, step: int, total: int, values: Mapping[str, Any]) -> dict[str, Any]:
        position = {"phase": self.phase, "round": self.round_number, "step": step, "total": total}
        return {**position, **values, "time": time.time()}

    def _emit(self, record: Mapping[str, Any]) -> None:
        if not distributed.is_rank0():
            return
        self.show(record)
        if self.file is not None:
            shown = {name: record[name] for name in SHOWN if name in record}
            with self.file.open("a") as file:
                file.write(json.dumps(shown) + "\n")


class ReportProgress(TrainerCallback):
    """Passes the trainer's log, which is part of every checkpoint, on to `TrainingProgress`."""

    def __init__(self, progress: TrainingProgress) -> None:
        self._progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.begin(state.max_steps, [e for e in state.log_history if "loss" in e])

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        entry = state.log_history[-1]
        if "loss" in entry:
            entry["time"] = time.time()
            self._progress.report(entry, state.max_steps)
