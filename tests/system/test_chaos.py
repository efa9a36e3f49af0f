"""The chaos benchmark, small: a run with kills grows the trees of an undisturbed one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSTGRES = os.environ.get("RSTAR_TEST_POSTGRES")
LIMIT_SECONDS = 7200
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
    "jobs made dead letters",
}
TAKEOVERS = {
    "coordinators killed",
    "coordinators paused",
    "problems taken over from silent coordinators",
    "coordinators that found it out and stopped",
}


def run_disturbed(folder: Path, *options: str) -> dict[str, bool]:
    """Return which claims hold."""
    command = [sys.executable, "-m", "benchmarks.chaos", "--json", "--folder", str(folder)]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    claims = json.loads(done.stdout)["claims"]
    return {claim["name"]: claim["holds"] for claim in claims}


def run_with_kills(folder: Path, *options: str) -> dict[str, bool]:
    holds = run_disturbed(folder, *options)
    assert set(holds) == CLAIMS
    return holds


def test_twelve_kills_change_no_tree(tmp_path: Path):
    holds = run_with_kills(tmp_path, "--short", "--kills", "12", "--seed", "5", "--pause", "0.7")
    assert all(holds.values()), holds


@pytest.mark.slow
def test_two_hundred_kills_change_no_tree(tmp_path: Path):
    holds = run_with_kills(tmp_path, "--kills", "200", "--seed", "7")
    assert all(holds.values()), holds


@pytest.mark.slow
@pytest.mark.skipif(not POSTGRES, reason="RSTAR_TEST_POSTGRES names no PostgreSQL server")
def test_two_coordinators_that_are_killed_and_paused_grow_the_trees_of_one(tmp_path: Path):
    options = ("--coordinators", "2", "--kills", "30", "--seed", "5", "--pause", "2")
    holds = run_disturbed(tmp_path, *options)
    assert set(holds) == CLAIMS | TAKEOVERS
    assert all(holds.values()), holds


@pytest.mark.slow
def test_workers_that_answer_wrongly_change_no_tree_and_no_figure(tmp_path: Path):
    holds = run_disturbed(tmp_path, "--short", "--rogue")
    assert {f"{what} unlike the undisturbed run's" for what in ("trees", "figures")} <= set(holds)
    assert all(holds.values()), holds
