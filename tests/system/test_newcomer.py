"""What someone types in the first hour, in a terminal of 80 columns, with the demo's tiny model."""

import json
import re
from pathlib import Path

import pytest

from rstar_async.demo.problems import word_problems
from tests.system.terminal import COLUMNS, rstar

pytestmark = pytest.mark.slow

SMALL = (
    *("--search.rollouts", "2", "--search.max_tokens", "40", "--search.temperature", "0.8"),
    *("--policy.learning_rate", "1e-3", "--policy.batch_size", "4", "--ppm.min_steps", "4"),
    *("--evaluation.samples", "2", "--evaluation.rollouts", "2"),
)
QUESTION = "1) Tom has 12 coins. 2) He buys 5 coins. 3) How many coins does Tom have now?"
# Paths and options are not broken; everything else must fit.
LONG = ("/", "--", "sqlite:")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomer")
    rows = [
        {"question": one.question, "answer": one.answer}
        for one in word_problems(20, (1, 2), 7, "train")
    ]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """A run of the newcomer's own problems."""
    words = ("run", "--model", "demo", "--problems", "p.jsonl", "--rounds", "1", "--name", "mine")
    return rstar(*words, *SMALL, folder=folder)


def too_wide(lines: list[str]) -> list[str]:
    return [line for line in lines if len(line) > COLUMNS and not any(w in line for w in LONG)]


def test_a_run_of_own_problems_ends_with_what_it_learnt(run):
    assert run.code == 0, run.text
    assert "run mine: demo, 1 round, 16 problems, 4 held out and measured" in run.text
    assert "held-out pass@1" in run.text
    assert "rstar view" in run.text
    assert "Traceback" not in run.text


def test_its_bars_have_all_their_numbers_and_end_full(run):
    bars = [line for line in run.lines if "━" in line and "·" in line]
    titles = [line.partition("━")[0].strip() for line in bars]
    for stage in ("search", "policy", "PPM", "sample heldout", "search heldout"):
        assert f"round 1 · {stage}" in titles
    assert len(titles) == len(set(titles))
    assert "16/16" in bars[titles.index("round 1 · search")]
    assert too_wide(run.lines) == []


AFTERWARDS = [
    (),
    ("--help",),
    ("report", "runs/mine"),
    ("models", "runs/mine"),
    ("trajectories", "runs/mine", "--limit", "2"),
    ("settings", "search"),
    ("settings", "search.rollouts"),
    ("presets",),
    ("compare", "runs/mine", "runs/mine"),
    ("solve", QUESTION, "--model", "runs/mine"),
    ("export", "runs/mine", "sft.jsonl", "--as", "messages"),
]


@pytest.mark.parametrize(
    "words", AFTERWARDS, ids=lambda words: "-".join(words[:2]).replace("/", "-") or "nothing"
)
def test_what_is_looked_at_afterwards_fits(run, folder, words):
    ended = rstar(*words, folder=folder)
    assert ended.code == 0, ended.text
    assert too_wide(ended.lines) == []


def test_the_status_of_a_run_that_is_over_says_so_in_a_line(run, folder):
    ended = rstar("status", "runs/mine", folder=folder)
    assert ended.code == 2
    assert ended.text.strip() == "rstar: no run is going on in runs/mine"


def test_no_command_of_the_readme_is_left_out():
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    verbs = set(re.findall(r"(?:^|`)rstar ([a-z]+)", readme, re.MULTILINE))
    assert len(verbs) > 5
    elsewhere = {"view", "evaluate", "doctor"}  # tests/view, tests/cli, tests/workers
    assert verbs <= {"run", "status", *elsewhere, *(words[0] for words in AFTERWARDS if words)}


def test_a_run_that_solves_nothing_says_why_and_exits_with_3(folder):
    words = ("run", "--model", "demo", "--problems", "p.jsonl", "--name", "lost")
    ended = rstar(*words, "--bootstrap.kind", "few_shot", *SMALL, folder=folder)
    assert ended.code == 3, ended.text
    assert "nothing was learnt: none of 16 problems was solved" in ended.text
    assert "try        --bootstrap.kind demonstrations" in ended.text
    assert too_wide(ended.lines) == []
