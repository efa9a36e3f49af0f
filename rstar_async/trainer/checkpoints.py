"""Checkpoints of a training under way, so that a killed one goes on where it was.

They belong to one training, named by a fingerprint of all that decides its course: other data or
other settings never go on from them. One counts only when it is marked as complete, which happens
after all of it has reached the disk.
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
# The one before the last: the last is not complete while it is being written.
KEPT = 2


@dataclass(frozen=True)
class Checkpoints:
    """Those of one training, in `folder`; at least `seconds` apart, none at all if that is 0."""

    folder: Path
    seconds: float

    def latest(self) -> Path | None:
        found = [path for path in self.folder.glob("checkpoint-*") if (path / COMPLETE).is_file()]
        return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def finish(self, step: int) -> None:
        """Mark the checkpoint of `step`, all of which was written."""
        place = self.folder / f"checkpoint-{step}"
        for path in [*place.rglob("*"), place]:
            sync(path)
        (place / COMPLETE).touch()
        sync(place)


def checkpoints_in(place: Path, fingerprint: str, seconds: float) -> Checkpoints:
    """The checkpoints of the training so named; those of others in `place` are out of date and
    removed."""

    def tidy() -> Path:
        own = place / fingerprint
        remove_owned_in(place, keep=own.name)
        return own if is_owned(own) else make_owned(own)

    return Checkpoints(distributed.on_rank0(tidy), seconds)


def fingerprint(start: Path, settings: Any, seed: int, examples: Sequence[Sequence[int]]) -> str:
    """16 hex digits for a training of the model in `start` on `examples`, given as ids."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps([weights_digest(start, run=""), settings, seed]).encode())
    for ids in examples:
        digest.update(json.dumps(list(ids)).encode())
    return digest.hexdigest()


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of all finished trainings in `folder`, which has a folder for each."""
    for place in folder.iterdir() if folder.is_dir() else ():
        remove_owned_in(place)
        with contextlib.suppress(OSError):  # what is not ours stays
            place.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


class SaveCheckpoints(TrainerCallback):
    """Saves when it is time, and once more when the training is stopped or has lasted long."""

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
        is_end = self.stopped or state.global_step >= state.max_steps
        if is_due or (every > 0 and (self.stopped or (is_end and self._saved))):
            control.should_save = True
        if self.stopped:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._last, self._saved = time.monotonic(), True
        distributed.barrier()
        distributed.on_rank0(lambda: self._checkpoints.finish(state.global_step))
