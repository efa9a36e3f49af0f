"""Checkpoints of a running training, so that a killed one resumes where it was.

They belong to one training, identified by a fingerprint of its data, settings, seed and starting
weights; no other training resumes from them. A checkpoint is used only if it is marked as complete,
which happens after all of it has reached the disk.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rstar_async.data.owned_folders import is_owned, make_owned, remove_owned_in
from rstar_async.trainer import distributed
from rstar_async.trainer.checkpoint_io import sync, weights_digest

COMPLETE = "complete"
# The last and the one before it: the last is not complete while it is being written.
KEPT = 2


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training, in `folder`, at least `seconds` apart; none if that is 0."""

    folder: Path
    seconds: float

    def latest(self) -> Path | None:
        complete = [
            path for path in self.folder.glob("checkpoint-*") if (path / COMPLETE).is_file()
        ]
        return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def finish(self, step: int) -> None:
        """Mark the checkpoint of `step`, now written, as complete."""
        checkpoint = self.folder / f"checkpoint-{step}"
        for path in [*checkpoint.rglob("*"), checkpoint]:
            sync(path)
        (checkpoint / COMPLETE).touch()
        sync(checkpoint)


def checkpoints_in(parent: Path, fingerprint: str, seconds: float) -> Checkpoints:
    """The checkpoints of the training with this fingerprint; those of others in `parent` are out of
    date and removed."""

    def tidy() -> Path:
        own = parent / fingerprint
        remove_owned_in(parent, keep=own.name)
        return own if is_owned(own) else make_owned(own)

    return Checkpoints(distributed.on_rank0(tidy), seconds)


def fingerprint(start: Path, settings: Any, seed: int, examples: Sequence[Sequence[int]]) -> str:
    """16 hex digits that identify a training of the model in `start` on `examples` (token ids)."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps([weights_digest(start, run=""), settings, seed]).encode())
    for ids in examples:
        digest.update(json.dumps(list(ids)).encode())
    return digest.hexdigest()


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of finished trainings; `folder` has a folder for each training."""
    for training in folder.iterdir() if folder.is_dir() else ():
        remove_owned_in(training)
        with contextlib.suppress(OSError):  # a folder that holds other files stays
            training.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


class SaveCheckpoints(TrainerCallback):
    """Saves a checkpoint when one is due, when the training is stopped, and at its end if it has
    saved before."""

    def __init__(self, checkpoints: Checkpoints, should_stop: Callable[[], bool]) -> None:
        self._checkpoints = checkpoints
        self._should_stop = should_stop
        self._last = time.monotonic()
        self._saved = False
        self.stopped = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = state.global_step > 0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        every = self._checkpoints.seconds
        is_due = every > 0 and time.monotonic() - self._last >= every
        self.stopped, is_due = distributed.any_rank(self._should_stop(), is_due)
        is_last = state.global_step >= state.max_steps
        if control.should_training_stop and not is_last:
            return  # Early stopping ended it; a training that resumes comes to this step again.
        is_end = self.stopped or is_last
        if is_due or (every > 0 and (self.stopped or (is_end and self._saved))):
            control.should_save = True
        if self.stopped:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._last, self._saved = time.monotonic(), True
        distributed.barrier()
        distributed.on_rank0(lambda: self._checkpoints.finish(state.global_step))
