"""A training over two nodes of a real Slurm, by torchrun: with RSTAR_TEST_SLURM=1."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.launch.ports import reserved_ports
from rstar_async.trainer.ranks import torchrun_options
from scripts.demo_checkpoint.model import Shape, save_folder, tiny_model
from tests.slurm.cluster import SlurmCluster

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).parents[2]
MODULE = "tests.trainer.distributed_process"


def test_two_nodes_have_the_losses_of_one_process(cluster: SlurmCluster, tmp_path: Path) -> None:
    base = tmp_path / "base"
    tokenizer = tiny_tokenizer()
    shape = Shape(hidden=16, feed_forward=32, layers=1, heads=2)
    save_folder(tiny_model(tokenizer, 1, shape), tokenizer, base)
    one = figures(tmp_path / "one", base, [sys.executable, "-m", MODULE])
    with reserved_ports(1) as (port,):
        options = torchrun_options(f"2:1:127.0.0.1:{port}")
        torchrun = [sys.executable, "-m", "torch.distributed.run", *options, "-m", MODULE]
        srun = ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--exclusive"]
        two = figures(tmp_path / "two", base, [*srun, *torchrun], cluster)
    for kind in ("policy", "ppm"):
        assert len(one[kind]) >= 6
        assert two[kind] == pytest.approx(one[kind], rel=1e-4)


def figures(
    into: Path, base: Path, command: list[str], cluster: SlurmCluster | None = None
) -> dict[str, list[float]]:
    """What the training in `command` writes."""
    for name in ("policy", "ppm", "stopped"):
        (into / name).mkdir(parents=True)
    environment = cluster.environment_of_jobs if cluster is not None else None
    done = subprocess.run(
        [*command, str(base), str(into)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[float]] = json.loads((into / "figures.json").read_text())
    return found
