"""Where a training reports to, and where it learns that it should end."""

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
# What is shown while it goes on.
SHOWN = ("phase", "round", "step", "total", "loss", "pair_accuracy_train", "pair_accuracy")


@dataclass
class TrainingProgress:
    """One JSON line a step goes to `file` (the progress bars read it) and to `lines` (the model's
    own metrics), and to `show`. In `place` a training keeps its checkpoints and its curves; None:
    it has none."""

    phase: str
    round_number: int = 0
    file: Path | None = None
    place: Path | None = None
    should_stop: Callable[[], bool] = lambda: False
    show: Callable[[Mapping[str, Any]], None] = lambda _: None
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.phase}-r{self.round_number:03d}"

    @property
    def losses(self) -> list[float]:
        return [line["loss"] for line in self.lines if line["loss"] is not None]

    def begin(self, total: int, done: list[dict[str, Any]]) -> None:
        """A training of `total` steps begins, or goes on after those that were logged as `done`."""
        self.lines = [self._line(0, total, {"loss": None}), *(self._of_log(e, total) for e in done)]
        self._tell(self.lines[-1])

    def report(self, entry: dict[str, Any], total: int) -> None:
        """A step was made; `Refused` if its loss is no number, for then no later one will be."""
        line = self._of_log(entry, total)
        if not math.isfinite(line["loss"]):
            raise Refused(
                f"{self.phase}: the loss is {line['loss']} at step {line['step']} of {total}; "
                "try a lower learning rate"
            )
        self.lines.append(line)
        self._tell(line)

    def _of_log(self, entry: Mapping[str, Any], total: int) -> dict[str, Any]:
        known = {name: float(entry[name]) for name in CURVES if name in entry}
        return {**self._line(entry["step"], total, known), "time": entry["time"]}

    def _line(self, step: int, total: int, values: Mapping[str, Any]) -> dict[str, Any]:
        place = {"phase": self.phase, "round": self.round_number, "step": step, "total": total}
        return {**place, **values, "time": time.time()}

    def _tell(self, line: Mapping[str, Any]) -> None:
        if not distributed.is_rank0():
            return
        self.show(line)
        if self.file is not None:
            shown = {name: line[name] for name in SHOWN if name in line}
            with self.file.open("a") as file:
                file.write(json.dumps(shown) + "\n")


class ReportProgress(TrainerCallback):
    """Passes the trainer's log on to the watch. The log is part of every checkpoint."""

    def __init__(self, progress: TrainingProgress) -> None:
        self._progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.begin(state.max_steps, [e for e in state.log_history if "loss" in e])

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        entry = state.log_history[-1]
        if "loss" in entry:
            entry["time"] = time.time()
            self._progress.report(entry, state.max_steps)
