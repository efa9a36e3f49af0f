"""`--workers.engine openai` through the real commands, against a real server of another process."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rstar_async import demo
from rstar_async.cli.main import main
from tests.engines import openai_server
from tests.evaluation.scripted_run import make_run, write_benchmark

CHECKPOINT = Path(demo.__file__).parent / "checkpoint"
KEY = "a key of the test"
SEARCH_ONLY = ("--policy.train", "false", "--ppm.train", "false")
RECIPE = """
name = "hosted"
home = "{home}"
[model]
base = "demo"
[bootstrap]
kind = "checkpoint"
[problems]
heldout_levels = [1]
[search]
rollouts = 2
candidates = 2
max_tokens = 64
in_flight = 4
[[rounds]]
problems = 4
levels = [1]
[evaluation]
problems = 2
samples = 2
rollouts = 2
candidates = 2
[workers]
engine = "openai"
[openai]
url = "{url}"
model = "sums"
api_key_env = "TEST_SERVER_KEY"
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    argv = [sys.executable, openai_server.__file__, str(CHECKPOINT)]
    environment = {**os.environ, "SERVER_KEY": KEY}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        server.terminate()


def rstar(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rstar_async.cli", *words],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TEST_SERVER_KEY": KEY},
    )


def write_recipe(folder: Path, url: str) -> Path:
    file = folder / "hosted.toml"
    file.write_text(RECIPE.format(home=folder / "home", url=url))
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, url: str) -> Path:
    """The home of a finished run that only searched."""
    folder = tmp_path_factory.mktemp("hosted")
    done = rstar("run", str(write_recipe(folder, url)), *SEARCH_ONLY)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "home"


def test_a_run_searches_and_measures_without_training(home: Path) -> None:
    with sqlite3.connect(f"file:{home}/rstar.db?mode=ro", uri=True) as store:
        searches = store.execute("SELECT purpose, status, count(*) FROM searches GROUP BY 1, 2")
        assert sorted(searches) == [("evaluation", "finished", 4), ("train", "finished", 4)]
        assert store.execute("SELECT count(*) FROM nodes").fetchone()[0] > 12
        versions = store.execute("SELECT kind, round, status, reason FROM model_versions")
        assert sorted(versions) == [
            ("policy", 0, "published", ""),
            ("policy", 1, "refused", "policy.train is off"),
            ("ppm", 1, "refused", "ppm.train is off"),
        ]


def test_the_key_of_the_server_is_not_stored(home: Path) -> None:
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_a_question_is_solved(home: Path) -> None:
    done = rstar("solve", "What is 3 + 4?", "--model", str(home), "--trajectories", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trajectories"] == 2


def test_a_benchmark_is_evaluated(home: Path, tmp_path: Path) -> None:
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 2)
    columns = ("--problems.question", "problem", "--problems.answer", "solution")
    words = ("--trajectories", "1,2", "--against", "sample", "--json", str(tmp_path / "table.json"))
    done = rstar("evaluate", str(home), "--benchmark", str(benchmark), *columns, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    methods = {row["method"] for row in json.loads((tmp_path / "table.json").read_text())["rows"]}
    assert "sample" in methods


def test_a_server_that_wants_another_key_ends_the_command_in_one_line(home: Path) -> None:
    words = ("solve", "What is 3 + 4?", "--model", str(home), "--openai.api_key_env", "NO_SUCH_KEY")
    done = rstar(*words)
    assert done.returncode == 2
    assert "answered 401" in done.stderr
    assert "give it in the environment variable NO_SUCH_KEY" in done.stderr
    assert done.stderr.count("NO_SUCH_KEY") == 1


@pytest.mark.parametrize("prompts", ["ids", "text"])
def test_the_ppm_is_served_by_another_engine(tmp_path: Path, url: str, prompts: str) -> None:
    make_run(tmp_path / "run")
    server = ("--openai.url", url, "--openai.model", "sums", "--openai.prompts", prompts)
    words = ("solve", "What is 3 + 4?", "--model", str(tmp_path / "run"), "--trajectories", "1")
    engines = ("--workers.engine", "openai", "--openai.api_key_env", "TEST_SERVER_KEY")
    alone = rstar(*words, *engines, *server)
    assert alone.returncode == 2
    assert "does not score steps; serve the PPM by another" in alone.stderr
    done = rstar(*words, *engines, *server, "--workers.reward_engine", "scripted", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"] is not None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "so a run with it only searches; give --policy.train false --ppm.train false"),
        (("--policy.train", "false"), "give --ppm.train false"),
        ((*SEARCH_ONLY, "--bootstrap.kind", "demonstrations"), "give --bootstrap.kind checkpoint"),
        ((*SEARCH_ONLY, "--openai.url", "host:8000"), "openai.url is 'host:8000'"),
        ((*SEARCH_ONLY, "--workers.engine", "openia"), "did you mean 'openai'?"),
    ],
)
def test_a_run_that_cannot_work_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
) -> None:
    recipe = write_recipe(tmp_path, "http://127.0.0.1:1/v1")
    assert main(["run", str(recipe), *words]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "home").exists()
