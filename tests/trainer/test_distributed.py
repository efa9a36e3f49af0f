"""Two processes train what one trains."""

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
def teams(base, tmp_path_factory):
    """The figures of one process and of two, and where they saved their models."""
    return [_run(base, tmp_path_factory.mktemp("team"), words) for words in ((), TORCHRUN)]


def _run(base, into, words):
    for name in ("policy", "ppm"):
        (into / name).mkdir()
    command = [
        sys.executable,
        "-m",
        *words,
        "tests.trainer.distributed_process",
        str(base),
        str(into),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return into, json.loads((into / "figures.json").read_text())


@pytest.mark.parametrize("what", ["policy", "ppm"])
def test_two_processes_have_the_losses_of_one(what, teams):
    (_, one), (_, two) = teams
    assert len(one[what]) >= 6
    assert two[what] == pytest.approx(one[what], rel=1e-4)


def test_what_two_have_trained_is_what_one_has_trained(teams):
    one, two = (
        AutoModelForSequenceClassification.from_pretrained(into / "ppm", dtype="float32")
        for into, _ in teams
    )
    for (name, mine), (_, theirs) in zip(
        one.named_parameters(), two.named_parameters(), strict=True
    ):
        assert torch.allclose(mine, theirs, atol=1e-4), name


def test_a_sharded_ppm_has_the_loss_and_the_gradient_of_a_whole_one(teams):
    (_, one), (_, two) = teams
    assert two["sharded"] == pytest.approx(one["sharded"], rel=1e-4, abs=1e-6)


def test_a_wish_of_one_is_granted_to_all_and_one_leads(teams):
    (_, one), (_, two) = teams
    assert one["agreed"] == [True, False, False]
    assert two["agreed"] == [True, True, False]
    assert one["led"] == two["led"] == "by the leader"


def test_a_team_with_one_port_for_metrics_serves_them_once(recipe, database, tmp_path):
    pulse = tmp_path / "pulse"
    done = train_in_two(recipe, tmp_path, "--metrics", str(_free_port()), "--pulse", str(pulse))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("metrics served") == 1
    assert pulse.exists()


def test_bad_input_ends_a_team_with_its_one_line_last(recipe, database, tmp_path):
    recipe = structs.replace(recipe, model=ModelConfig(base="no/such/folder"))
    done = train_in_two(recipe, tmp_path)
    assert done.returncode == 2, done.stderr[-3000:]
    *_, last = done.stderr.splitlines()
    assert last.startswith("rstar: ")
    assert "no/such/folder" in last


def train_in_two(recipe, folder, *words):
    """One recipe's trainer, as two processes."""
    file = folder / "recipe.json"
    file.write_bytes(
        msgspec.json.encode(structs.replace(recipe, bootstrap=BootstrapConfig(kind="checkpoint")))
    )
    ranks = [sys.executable, "-m", "rstar_async.trainer.ranks", "2"]
    return subprocess.run(
        [*ranks, "--recipe", str(file), "--run", "run", "--once", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
