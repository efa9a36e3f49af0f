"""A training by two processes gives the results of one process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch
from msgspec import structs
from transformers import AutoModelForSequenceClassification

from rstar_async.config import BootstrapConfig, ModelConfig

ROOT = Path(__file__).parents[2]
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")


@pytest.fixture(scope="module")
def trainings(base, tmp_path_factory):
    """The model folders and the figures of one process and of two."""
    return [
        _run(base, tmp_path_factory.mktemp("training"), launcher) for launcher in ((), TORCHRUN)
    ]


def _run(base, into, launcher):
    for name in ("policy", "ppm", "stopped", "adapters"):
        (into / name).mkdir()
    command = [
        sys.executable,
        "-m",
        *launcher,
        "tests.trainer.distributed_process",
        str(base),
        str(into),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return into, json.loads((into / "figures.json").read_text())


@pytest.mark.parametrize("kind", ["policy", "ppm", "adapters"])
def test_two_processes_have_the_losses_of_one(kind, trainings):
    (_, one), (_, two) = trainings
    assert len(one[kind]) >= 6
    assert two[kind] == pytest.approx(one[kind], rel=1e-4)


def test_two_processes_end_a_training_where_one_does(trainings):
    (_, one), (_, two) = trainings
    assert two["stopped"] == pytest.approx(one["stopped"], abs=0.03)


@pytest.mark.parametrize("kind", ["ppm", "stopped", "adapters"])
def test_two_processes_train_the_weights_of_one(kind, trainings):
    one, two = (
        AutoModelForSequenceClassification.from_pretrained(into / kind, dtype="float32")
        for into, _ in trainings
    )
    for (name, mine), (_, theirs) in zip(
        one.named_parameters(), two.named_parameters(), strict=True
    ):
        assert torch.allclose(mine, theirs, atol=1e-4), name


def test_a_sharded_ppm_has_the_loss_and_the_gradient_of_an_unsharded_one(trainings):
    (_, one), (_, two) = trainings
    assert two["sharded"] == pytest.approx(one["sharded"], rel=1e-4, abs=1e-6)


def test_a_flag_of_any_rank_is_set_on_all_and_results_of_rank_0_reach_all(trainings):
    (_, one), (_, two) = trainings
    assert one["any_rank"] == [True, False, False]
    assert two["any_rank"] == [True, True, False]
    assert one["from_rank0"] == two["from_rank0"] == "by rank 0"


def test_of_two_processes_one_serves_the_metrics_and_touches_the_heartbeat(
    recipe, database, tmp_path
):
    heartbeat = tmp_path / "heartbeat"
    done = train_in_two(
        recipe, tmp_path, "--metrics", str(_free_port()), "--heartbeat", str(heartbeat)
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("metrics served") == 1
    assert heartbeat.exists()


def test_bad_input_ends_all_processes_with_one_line_last(recipe, database, tmp_path):
    recipe = structs.replace(recipe, model=ModelConfig(base="no/such/folder"))
    done = train_in_two(recipe, tmp_path)
    assert done.returncode == 2, done.stderr[-3000:]
    *_, last = done.stderr.splitlines()
    assert last.startswith("rstar: ")
    assert "no/such/folder" in last


def train_in_two(recipe, folder, *options):
    """Run the recipe's trainer as two processes."""
    file = folder / "recipe.json"
    file.write_bytes(
        msgspec.json.encode(structs.replace(recipe, bootstrap=BootstrapConfig(kind="checkpoint")))
    )
    ranks = [sys.executable, "-m", "rstar_async.trainer.ranks", "2"]
    return subprocess.run(
        [*ranks, "--recipe", str(file), "--run", "run", "--once", *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
