"""What someone types in the first hour: every command of the README, in a clone, in a terminal of
80 columns, with the demo's tiny model."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from rstar_async.demo.problems import word_problems
from tests.system import readme
from tests.system.readme import LOOKED_AT, MADE
from tests.system.terminal import COLUMNS, rstar
from tests.view.conftest import serving

pytestmark = pytest.mark.slow

SMALL = (
    *("--search.rollouts", "2", "--search.max_tokens", "40", "--search.temperature", "0.8"),
    *("--policy.learning_rate", "1e-3", "--policy.batch_size", "4", "--ppm.min_steps", "4"),
    *("--evaluation.samples", "2", "--evaluation.rollouts", "2"),
)
OWN = ("run", "--model", "demo", "--problems", "p.jsonl")
# What the closing lines and the help of the commands above name.
FURTHER = [
    (),
    ("report", "runs/mine"),
    ("models", "runs/mine"),
    ("trajectories", "runs/mine", "--limit", "2"),
    ("settings", "search"),
    ("presets",),
]
# A few words of what some of them say.
SAYS = {("status",): "mine: complete, 1 round", ("evaluate",): "of 1 problems"}
# A folded line may hold one such word that is longer than the terminal is wide.
LONG = ("/", "--", "sqlite:")
LABEL = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clone with the newcomer's problems in it."""
    folder = readme.clone(tmp_path_factory.mktemp("newcomer"))
    rows = [
        {"question": one.question, "answer": one.answer}
        for one in word_problems(20, (1, 2), 7, "train")
    ]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """A run of the newcomer's own problems."""
    return rstar(*OWN, "--rounds", "1", "--name", "mine", *SMALL, folder=folder)


def too_wide(lines: list[str]) -> list[str]:
    return [line for line in lines if len(line) > COLUMNS and not is_one_long_word(line)]


def is_one_long_word(line: str) -> bool:
    """Whether nothing but a path or the like, behind a label, makes the line so long."""
    longest = max(line.split(), key=len)
    return any(mark in longest for mark in LONG) and len(line) - len(longest) <= LABEL


@pytest.mark.parametrize("target", MADE)
def test_make_would_do_what_the_readme_says(folder, target):
    words = ["make", "--dry-run", *target.split()[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert MADE[target] in done.stdout.splitlines()[-1]


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


@pytest.mark.parametrize(
    "words",
    [*dict.fromkeys([*LOOKED_AT.values(), *FURTHER])],
    ids=lambda words: "-".join(words[:2]).replace("/", "-") or "nothing",
)
def test_what_is_looked_at_afterwards_fits(run, folder, words):
    ended = rstar(*words, folder=folder)
    assert ended.code == 0, ended.text
    assert SAYS.get(words[:1], "") in ended.text
    assert ended.text.strip()
    assert "Traceback" not in ended.text
    assert too_wide(ended.lines) == []


def test_the_run_is_shown_in_the_browser(run, folder):
    home = Path(folder) / "runs" / "mine"
    with serving(home, str(home / "rstar.db")) as address:
        assert "<title>" in httpx.get(address).text
        assert httpx.get(f"{address}api/runs").json()["newest"]["run"]["id"] == "mine"


def test_a_run_that_solves_nothing_says_why_and_exits_with_3(folder):
    without_ppm = ("--ppm.train", "false", "--workers.reward", "0")
    words = (*OWN, "--name", "lost", "--bootstrap.kind", "few_shot", *without_ppm)
    ended = rstar(*words, *SMALL, folder=folder)
    assert ended.code == 3, ended.text
    assert "nothing was learnt: none of 16 problems was solved" in ended.text
    assert "try        --bootstrap.kind demonstrations" in ended.text
    assert too_wide(ended.lines) == []
