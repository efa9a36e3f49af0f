"""Curves for TensorBoard and W&B, as their files hold them; and options that cannot be had."""

import json
import struct

import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

from rstar_async.config import PPMConfig, TrainingConfig
from rstar_async.errors import BadInput
from rstar_async.trainer.ppm import train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.trackers import check_extras
from tests.trainer.stored_trees import packed_trees

SETTINGS = PPMConfig(epochs=1, learning_rate=1e-3, batch_trees=4, min_steps=0)


@pytest.fixture
def train(base, encoder, tmp_path):
    """Trains a PPM for two steps and gives the losses, whatever draws them."""

    def go(computing, phase="ppm"):
        progress = TrainingProgress(phase, 1, place=tmp_path / "training")
        into = tmp_path / phase
        into.mkdir()
        options = {"scale": 5.0, "seed": 1, "into": into, "progress": progress}
        train_ppm(base, packed_trees(encoder, 8), [], SETTINGS, computing, **options)
        return progress.losses

    return go


@pytest.fixture
def wandb_mode(monkeypatch, tmp_path):
    """Sets how W&B works, with nobody's account at hand: its own process reads that once."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    yield lambda mode: monkeypatch.setenv("WANDB_MODE", mode)
    wandb.teardown()


def test_tensorboard_shows_the_loss_of_every_step(train, tmp_path):
    losses = train(TrainingConfig(tensorboard=True))
    drawn = EventAccumulator(str(tmp_path / "training" / "tensorboard" / "ppm-r001")).Reload()
    points = [(event.step, event.value) for event in drawn.Scalars("train/loss")]
    assert points == [(step, pytest.approx(loss)) for step, loss in enumerate(losses, 1)]


def test_every_training_is_a_run_of_wandb_of_its_own(train, tmp_path, wandb_mode):
    """Offline: what would be sent lies in files, one run each, under the run's own folder."""
    wandb_mode("offline")
    losses = {phase: train(TrainingConfig(wandb="steps"), phase) for phase in ("policy", "ppm")}
    found = {}
    for file in (tmp_path / "training" / "wandb").glob("offline-run-*/*.wandb"):
        name, points = read_wandb(file)
        found[name] = points
    assert found == {
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


def test_without_an_account_of_wandb_a_training_goes_on(train, wandb_mode, caplog):
    wandb_mode("online")
    assert len(train(TrainingConfig(wandb="steps"))) == 2
    assert "this training has no curves there" in caplog.text


@pytest.mark.parametrize(
    ("computing", "on_gpu", "reason"),
    [
        (TrainingConfig(liger=True), False, "training.liger is on, but its kernels need a GPU"),
        (TrainingConfig(liger=True), True, r"not installed: pip install 'rstar-async\[liger\]'"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_trained(computing, on_gpu, reason):
    with pytest.raises(BadInput, match=reason):
        check_extras(computing, on_gpu=on_gpu)
    check_extras(TrainingConfig(tensorboard=True, wandb="steps"), on_gpu=on_gpu)
