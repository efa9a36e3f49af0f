"""A run over a file with every odd row, in a home of an odd name: good rows are searched, the rest
is named, and every verb finds the store again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from rstar_async.cli.main import main

GOOD = {
    "What is 3 + 4?": 7,
    "What is 20 + 30?": ["50"],
    "What is 5 + 6 \\ud83d?": "11",
    "What \\u202e is 7 + 8 \\u0000?": "15",
    "Write 3 + 4 in base 8": "52_8",
    "What is |3 - 10|?": "|-7|",
    "How long?": "3 hours 20 minutes",
}
BAD = [
    '{"question": "a", "answer": null}',
    '{"question": null, "answer": "1"}',
    '{"question": "b", "answer": NaN}',
    '{"question": "c", "answer": {"value": 1}}',
    '{"question": "d", "answer": ["1", "2"]}',
    '{"question": "e", "answer": true}',
    '{"question": "f"}',
    '{"question": "g", "answer": %s}' % ("1" * 5_000),
    '{"question": "h", "answer": %s}' % ("[" * 100_000 + "]" * 100_000),
    '{"question": "%s", "answer": "1"}' % ("x" * 10_000_000),
    '{"question": "half a line',
    '["no", "object"]',
    '{"question": "two answers", "answer": "1"}\n{"question": "two answers", "answer": "2"}',
]
HOMES = ["a b?x=1#y", "per%20cent {1} {user} \u00fc \N{GRINNING FACE} 'quoted'"]
SETTINGS = {
    "problems.skip_bad": "true",
    "problems.heldout": "1",
    "bootstrap.kind": "checkpoint",
    "policy.train": "false",
    "ppm.train": "false",
    "workers.reward": "0",
    "workers.engine": "scripted",
    "search.rollouts": "2",
    "search.candidates": "2",
    "evaluation.samples": "1",
    "evaluation.search": "false",
}


@pytest.fixture
def problems(tmp_path) -> Path:
    good = [f'{{"question": "{q}", "answer": {json.dumps(a)}}}' for q, a in GOOD.items()]
    file = tmp_path / "odd rows.jsonl"
    text = "\n".join(line for pair in zip(good, BAD, strict=False) for line in pair)
    rest = "\n".join([*good[len(BAD) :], *BAD[len(good) :]])
    file.write_bytes(f"\ufeff{text}\n{rest}\n".encode() + b'{"question": "\xff"}\n')
    return file


def rstar(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rstar_async.cli", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=400, env={**os.environ, "COLUMNS": "200"}
    )


def run(problems: Path, home: Path) -> subprocess.CompletedProcess[str]:
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    return rstar("run", "--name", "odd", "--problems", problems, "--home", home, *settings)


@pytest.mark.parametrize("name", HOMES)
def test_the_good_rows_are_searched_and_the_bad_ones_named(tmp_path, problems, name):
    home = tmp_path / name
    done = run(problems, home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{problems}: 14 rows were left out, {len(GOOD)} used: {problems}:2: column" in (
        done.stderr
    )
    assert str(home / "rstar.db") in done.stdout
    with sqlite3.connect(home / "rstar.db") as store:
        searched = store.execute("SELECT status FROM searches WHERE purpose = 'train'").fetchall()
    assert searched == [("finished",)] * (len(GOOD) - 1)
    assert [file.name for file in tmp_path.iterdir()] == [problems.name, name]
    again = run(problems, home)
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)
    every_verb_reads(home, tmp_path)


def every_verb_reads(home: Path, tmp_path: Path) -> None:
    store = home / "rstar.db"
    for words in (
        ["db", "check", home],
        ["db", "prune", home, "--apply"],
        ["db", "export", home, tmp_path / "dump"],
        ["db", "import", home / "copy.db", tmp_path / "dump"],
        ["db", "check", home / "copy.db"],
        ["report", home, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json"],
        ["trajectories", store, "--json", "--wrong"],
        ["models", home],
        ["export", home, tmp_path / "trees.jsonl", "--as", "trees"],
        ["import", tmp_path / "trees.jsonl", home / "imported"],
        ["db", "check", home / "imported"],
    ):
        assert main(list(map(str, words))) == 0, words
    view(home)


def view(home: Path) -> None:
    command = [sys.executable, "-m", "rstar_async.cli", "view", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(home / "rstar.db")
        address = process.stdout.readline().strip()
        assert httpx.get(f"{address}api/runs").json()["runs"][0]["id"] == "odd"
        process.send_signal(signal.SIGTERM)


def test_without_leaving_out_the_run_is_refused_in_one_line(tmp_path, problems):
    done = rstar("run", "--problems", problems, "--home", tmp_path / "home")
    assert done.returncode == 2
    assert done.stderr.startswith(f"rstar: {problems}:2: column 'answer' is empty; 4: column")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "home").exists()
