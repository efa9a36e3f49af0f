"""A small run by real processes: it ends, survives kills, resumes and leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

RECIPE = """
name = "small"
home = "{home}"
[model]
base = "demo"
[bootstrap]
kind = "checkpoint"
[problems]
heldout_levels = [1, 2]
[search]
rollouts = 3
candidates = 3
max_tokens = 48
in_flight = 8
[[rounds]]
problems = 16
levels = [1, 2]
[policy]
learning_rate = 1e-4
batch_size = 8
[ppm]
min_steps = 0
learning_rate = 1e-4
[evaluation]
problems = 4
samples = 2
rollouts = 2
candidates = 2
"""
PATIENCE_SECONDS = 420


def start(tmp_path: Path, *arguments: str, recipe: str = RECIPE) -> subprocess.Popen[str]:
    file = tmp_path / "small.toml"
    file.write_text(recipe.format(home=tmp_path / "home"))
    return subprocess.Popen(
        [sys.executable, "-m", "rstar_async.cli", "run", str(file), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "RSTAR_TEST_RUN": str(tmp_path)},
    )


def ask(tmp_path: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{tmp_path}/home/rstar.db?mode=ro", uri=True) as connection:
        return connection.execute(question).fetchall()


def wait_until(
    condition, process: subprocess.Popen[str], patience: float = PATIENCE_SECONDS
) -> None:
    """Poll until true; fail with the run's own words if it ends before."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if condition():
                return
        except sqlite3.OperationalError:
            pass  # not created yet
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    pytest.fail("it did not happen in time")


def processes_of(tmp_path: Path) -> dict[int, str]:
    """Every process that was started for this run, by the mark in its environment or command."""
    mark = str(tmp_path).encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if mark in command or mark in (entry / "environ").read_bytes():
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


def pid_of(tmp_path: Path, words: str) -> int:
    (pid,) = [pid for pid, command in processes_of(tmp_path).items() if words in command]
    return pid


def nodes_stored(tmp_path: Path) -> int:
    return ask(tmp_path, "SELECT count(*) FROM nodes")[0][0]


def test_workers_killed_in_mid_search_change_only_the_duration(tmp_path):
    """The run ends with every search finished, a table, and no process left."""
    run = start(tmp_path, "--json", str(tmp_path / "report.json"))
    for words in ("workers executor", "workers inference", "rstar_async.coordinator"):
        before = max(nodes_stored(tmp_path), 20) if words != "workers executor" else 20
        wait_until(lambda before=before: nodes_stored(tmp_path) > before, run)
        os.kill(pid_of(tmp_path, words), signal.SIGKILL)
    said, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, said

    searches = ask(tmp_path, "SELECT purpose, status, count(*) FROM searches GROUP BY 1, 2")
    assert sorted(searches) == [("evaluation", "finished", 8), ("train", "finished", 16)]
    assert ask(tmp_path, "SELECT status FROM rounds ORDER BY number") == [("closed",)] * 2
    orphans = ask(
        tmp_path,
        "SELECT n.path FROM nodes n LEFT JOIN nodes p ON p.search_id = n.search_id "
        "AND p.path = n.parent WHERE n.depth > 0 AND p.path IS NULL",
    )
    assert orphans == []
    rounds = json.loads((tmp_path / "report.json").read_text())["rounds"]
    assert [row["number"] for row in rounds] == [0, 1]
    assert rounds[1]["problems"] == 16
    assert processes_of(tmp_path) == {}


def test_an_interrupted_run_leaves_nothing_and_goes_on(tmp_path):
    first = start(tmp_path)
    wait_until(lambda: nodes_stored(tmp_path) > 20, first)
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=60)
    assert first.returncode not in (0, 2), said
    assert processes_of(tmp_path) == {}
    stored = nodes_stored(tmp_path)

    second = start(tmp_path)
    said, _ = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0, said
    assert nodes_stored(tmp_path) > stored

    third = start(tmp_path)
    said, _ = third.communicate(timeout=60)
    assert third.returncode == 0
    assert "all 1 rounds are done" in said


def test_a_run_without_rounds_measures_the_model_as_it_is(tmp_path):
    for says in ("--rounds 1 or more searches and trains", "it is measured; nothing to do"):
        run = start(tmp_path, "--rounds", "0", "--evaluation.search", "false")
        said, _ = run.communicate(timeout=PATIENCE_SECONDS)
        assert run.returncode == 0, said
        assert says in said
        assert "nothing was learnt" not in said
    assert ask(tmp_path, "SELECT method, problems FROM evaluations") == [("policy", 4)]


# What a dashboard asks of each process, and what cannot be zero once nodes are stored.
SERVED = {
    "broker-inference": 'rstar_broker_events_total{event="finished",pool="inference"}',
    "broker-executor": 'rstar_broker_events_total{event="finished",pool="executor"}',
    "broker-reward": 'rstar_broker_workers{pool="reward"}',
    "executor-1": 'rstar_programs_total{status="ok"}',
    "inference-1": 'rstar_generated_tokens_total{pool="inference"}',
    "reward-1": 'rstar_worker_capacity{pool="reward"}',
    "trainer": 'rstar_trained_rounds_total{round="0"}',
    "coordinator": 'rstar_client_events_total{event="answered",pool="executor"}',
}


def test_every_process_of_a_run_serves_metrics(tmp_path):
    run = start(tmp_path, "--observe.metrics_port", str(free_ports(len(SERVED))))
    wait_until(lambda: nodes_stored(tmp_path) > 100, run)
    targets = json.loads((tmp_path / "home" / "metrics.json").read_text())
    places = {target["labels"]["process"]: target["targets"][0] for target in targets}
    assert places.keys() == SERVED.keys()
    for process, name in SERVED.items():
        wait_until(lambda at=places[process], name=name: metrics(at).get(name, 0) > 0, run)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert not (tmp_path / "home" / "metrics.json").exists()


def metrics(address: str) -> dict[str, float]:
    """Values by name and labels."""
    lines = httpx.get(f"http://{address}/metrics").raise_for_status().text.splitlines()
    values = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in values}


def free_ports(count: int) -> int:
    """The first of so many that nobody listens at."""
    for first in range(20_000 + os.getpid() % 10_000, 65_000, count):
        try:
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    pytest.fail("no ports are free")


def test_a_run_whose_home_is_deleted_ends_with_a_message(tmp_path):
    run = start(tmp_path)
    wait_until(lambda: nodes_stored(tmp_path) > 20, run)
    shutil.rmtree(tmp_path / "home", ignore_errors=True)  # it is being written to
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 2, said
    assert f"rstar: {tmp_path}/home was deleted or moved" in said.splitlines()[-1]
    assert processes_of(tmp_path) == {}
