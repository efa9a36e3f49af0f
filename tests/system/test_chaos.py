"""The chaos benchmark, small: a run whose processes are killed grows the trees of a calm one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 7200
CLAIMS = {
    "processes killed",
    "nodes in the undisturbed run",
    "runs not brought to their end",
    "searches not finished",
    "nodes lost",
    "nodes stored twice",
    "results taken twice by a tree",
    "trees unlike the undisturbed run's",
    "processes left over",
    "processes that died of something else",
    "innocent jobs buried",
}


def storm(folder: Path, *options: str) -> dict[str, bool]:
    """Which claims hold."""
    command = [sys.executable, "-m", "benchmarks.chaos", "--json", "--folder", str(folder)]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    claims = json.loads(done.stdout)["claims"]
    assert {claim["name"] for claim in claims} == CLAIMS
    return {claim["name"]: claim["holds"] for claim in claims}


def test_twelve_kills_change_no_tree(tmp_path: Path):
    holds = storm(tmp_path, "--short", "--kills", "12", "--seed", "5", "--pause", "0.7")
    assert all(holds.values()), holds


@pytest.mark.slow
def test_two_hundred_kills_change_no_tree(tmp_path: Path):
    holds = storm(tmp_path, "--kills", "200", "--seed", "7")
    assert all(holds.values()), holds
