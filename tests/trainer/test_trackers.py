"""What TensorBoard and W&B write to their files; options that this machine cannot provide."""

import json
import struct

import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

from rstar_async.config import PPMConfig, TrainingConfig
from rstar_async.errors import BadInput
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.trackers import check_extras
from tests.trainer.stored_trees import packed_trees

SETTINGS = PPMConfig(epochs=1, learning_rate=1e-3, batch_trees=4, min_steps=0)


@pytest.fixture
def train(base, encoder, tmp_path):
    """Trains a PPM for two steps with these settings and returns the losses."""

    def run(training, phase="ppm"):
        progress = TrainingProgress(phase, 1, folder=tmp_path / "training")
        into = tmp_path / phase
        into.mkdir()
        trees = packed_trees(encoder, 8)
        job = PPMJob(base, trees, [], SETTINGS, training, scale=5.0, seed=1)
        train_ppm(job, into=into, progress=progress)
        return progress.losses

    return run


@pytest.fixture
def wandb_mode(monkeypatch, tmp_path):
    """Sets the mode of W&B, without an account."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    yield lambda mode: monkeypatch.setenv("WANDB_MODE", mode)
    wandb.teardown()


def test_tensorboard_shows_the_loss_of_every_step(train, tmp_path):
    losses = train(TrainingConfig(tensorboard=True))
    drawn = EventAccumulator(str(tmp_path / "training" / "tensorboard" / "ppm-r001")).Reload()
    points = [(event.step, event.value) for event in drawn.Scalars("train/loss")]
    assert points == [(step, pytest.approx(loss)) for step, loss in enumerate(losses, 1)]


def test_every_training_has_its_own_wandb_run(train, tmp_path, wandb_mode):
    """Offline mode writes one file per run, under the training folder."""
    wandb_mode("offline")
    losses = {phase: train(TrainingConfig(wandb="steps"), phase) for phase in ("policy", "ppm")}
    runs = {}
    for file in (tmp_path / "training" / "wandb").glob("offline-run-*/*.wandb"):
        name, points = read_wandb(file)
        runs[name] = points
    assert runs == {
        f"{phase}-r001": [(n, pytest.approx(loss)) for n, loss in enumerate(some, 1)]
        for phase, some in losses.items()
    }


def read_wandb(file):
    """The name of the run in a file, and its loss by step."""
    name, points = "", []
    for data in leveldb_log(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        name = record.run.display_name or name
        items = record.history.item
        row = {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}
        if "train/loss" in row:
            points.append((row["train/global_step"], row["train/loss"]))
    return name, points


def leveldb_log(data, block=32768):
    """The records of a file in LevelDB's log format, after W&B's own head of 7 bytes."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""


def test_a_training_runs_without_a_wandb_account(train, wandb_mode, caplog):
    wandb_mode("online")
    assert len(train(TrainingConfig(wandb="steps"))) == 2
    assert "this training is not tracked there" in caplog.text


@pytest.mark.parametrize(
    ("training", "on_gpu", "reason"),
    [
        (TrainingConfig(liger=True), False, "training.liger is on, but its kernels need a GPU"),
        (TrainingConfig(liger=True), True, r"not installed: pip install 'rstar-async\[liger\]'"),
    ],
)
def test_options_that_this_machine_lacks_are_refused(training, on_gpu, reason):
    with pytest.raises(BadInput, match=reason):
        check_extras(training, on_gpu=on_gpu)
    check_extras(TrainingConfig(tensorboard=True, wandb="steps"), on_gpu=on_gpu)
