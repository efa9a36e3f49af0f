"""`rstar solve` by real processes and the scripted engine."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.cli.main import main
from tests.evaluation.scripted_run import DOUBTFUL, make_run


def solve(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rstar_async.cli", "solve", *words],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_a_question_is_answered_with_its_code_and_the_run_is_only_read(tmp_path: Path):
    home, kept = tmp_path / "run", tmp_path / "kept"
    make_run(home)
    before = sorted(path.name for path in home.iterdir() if "rstar.db" not in path.name)
    words = ("What is 3 + 4 + 5?", "--model", str(home), "--trajectories", "3")
    done = solve(*words, "--home", str(kept), "--json", "--evaluation.rollouts", "6")
    assert done.returncode == 0, done.stderr
    solved = json.loads(done.stdout)
    assert solved["trajectories"] == 3
    assert f"\\boxed{{{solved['answer']}}}" in solved["text"]
    assert "<output>" in solved["text"]
    assert sum(vote["trajectories"] for vote in solved["votes"]) <= 3
    assert solved["votes"][0]["answer"]
    assert sorted(path.name for path in home.iterdir() if "rstar.db" not in path.name) == before
    assert main(["tree", str(kept), solved["search_id"]]) == 0


def test_without_a_trusted_ppm_the_majority_answers_and_that_is_said(tmp_path: Path):
    make_run(tmp_path / "run", ppm_metrics=DOUBTFUL)
    words = ("What is 3 + 4 + 5?", "--model", str(tmp_path / "run"), "--trajectories", "2")
    done = solve(*words, "--json")
    assert done.returncode == 0, done.stderr
    solved = json.loads(done.stdout)
    assert solved["score"] is None
    assert f"rstar: {solved['ppm_note']}" in done.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["", "--model", "{home}"], "the question is empty"),
        (["1 + 1?", "--model", "nowhere"], "there is no run at nowhere"),
        (["1 + 1?", "--model", "{home}", "--trajectories", "0"], "give a whole number from 1"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, capsys, words, complaint):
    make_run(tmp_path / "home")
    assert main(["solve", *(word.format(home=tmp_path / "home") for word in words)]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


def test_the_documented_example_is_answered_by_the_demos_model():
    (line,) = [
        line
        for line in Path("docs/evaluation.md").read_text().splitlines()
        if line.startswith("rstar solve ")
    ][:1]
    words = shlex.split(line)[2:]
    assert words[1:] == ["--model", "runs/demo"]
    done = solve(words[0], "--model", "demo", "--json", "--trajectories", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["answer"] == "24"


def test_the_demos_model_says_what_it_was_never_shown_before_it_answers():
    question = "Tom has 3 bags with 4 coins each. How many coins?"
    done = solve(question, "--model", "demo", "--json", "--trajectories", "1")
    assert "note       the demo's model was never shown: Tom has 3 bags with" in done.stderr
    solved = json.loads(done.stdout)
    assert solved["question"].startswith("1) Tom has 3 bags")
    assert (done.returncode == 0) == bool(solved["answer"])
