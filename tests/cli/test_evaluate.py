"""`rstar evaluate` by real processes and the scripted engine."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rstar_async.cli.main import main
from storage.database import open_database
from tests.evaluation.scripted_run import DOUBTFUL, PPM, make_run, trained_problem, write_benchmark

PATIENCE_SECONDS = 900
COLUMNS = ("--problems.question", "problem", "--problems.answer", "solution")


def start(
    home: Path, benchmark: Path, *words: str, packages: tuple[Path, ...] = ()
) -> subprocess.Popen[str]:
    rstar = (sys.executable, "-m", "rstar_async.cli", "evaluate", str(home), *COLUMNS)
    return subprocess.Popen(
        [*rstar, "--benchmark", str(benchmark), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": search_path(*packages)},
    )


def search_path(*folders: Path) -> str:
    """Where Python looks for modules, with `folders` before."""
    return os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])


def finish(process: subprocess.Popen[str]) -> str:
    try:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said
    return said


def ask(home: Path, question: str) -> list[tuple]:
    with sqlite3.connect(f"file:{home}/rstar.db?mode=ro", uri=True) as connection:
        return connection.execute(question).fetchall()


def figures(file: Path) -> list[dict]:
    """What must not depend on when and how often it was started: all but the seconds."""
    return [
        {key: value for key, value in row.items() if key != "seconds"}
        for row in json.loads(file.read_text())["rows"]
    ]


def finished(home: Path) -> int:
    return ask(home, "SELECT count(*) FROM searches WHERE status = 'finished'")[0][0]


def test_killed_in_the_middle_it_goes_on_and_comes_to_the_same_figures(tmp_path):
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 6)
    for name in ("calm", "killed"):
        make_run(tmp_path / name)
    words = ("--trajectories", "1,4")
    calm, killed = tmp_path / "calm.json", tmp_path / "killed.json"
    finish(start(tmp_path / "calm", benchmark, *words, "--json", str(calm)))

    victim = start(tmp_path / "killed", benchmark, *words)
    end = time.monotonic() + PATIENCE_SECONDS
    while finished(tmp_path / "killed") < 10:
        assert time.monotonic() < end
        assert victim.poll() is None, victim.communicate()[0]
        time.sleep(0.02)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    before = finished(tmp_path / "killed")
    said = finish(start(tmp_path / "killed", benchmark, *words, "--json", str(killed)))

    assert figures(killed) == figures(calm)
    assert 10 <= before < finished(tmp_path / "calm")
    assert finished(tmp_path / "killed") == finished(tmp_path / "calm")
    assert "4 trajectories" in said
    _check_figures(tmp_path / "calm", figures(calm))

    again = tmp_path / "again.json"
    finish(start(tmp_path / "calm", benchmark, *words, "--json", str(again)))
    assert figures(again) == figures(calm)
    assert json.loads(again.read_text())["generated"] == 0


def test_a_ppm_that_is_not_trusted_is_left_out_unless_it_is_named(tmp_path):
    """Terminal, JSON and stored rows say so."""
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 3)
    home, file = tmp_path / "home", tmp_path / "table.json"
    make_run(home, ppm_metrics=DOUBTFUL)
    words = ("--trajectories", "1", "--json", str(file))
    said = finish(start(home, benchmark, *words, "--against", "sample"))
    table = json.loads(file.read_text())
    assert table["ppm"] is None
    assert table["ppm_note"] in said
    assert {row["rule"] for row in table["rows"] if row["method"] == "tree"} == {
        *("majority", "majority of all answers", "majority until 95 % sure", "pass@n")
    }
    assert ask(home, "SELECT DISTINCT ppm_id FROM searches") == [(None,)]
    stored = ask(home, "SELECT settings ->> 'ppm_note' FROM evaluations")
    assert {note for (note,) in stored} == {table["ppm_note"]}

    said = finish(start(home, benchmark, *words, "--against", "beam"))
    table = json.loads(file.read_text())
    assert table["ppm"] == PPM
    assert "because the command names it" in table["ppm_note"]
    assert table["ppm_note"] in said
    assert "best PPM" in {row["rule"] for row in table["rows"]}


def _strays(home: Path) -> int:
    """Nodes of smaller trees that the largest tree of that problem and seed lacks: trees by
    different schedules are the same as far as they go."""
    return ask(
        home,
        """
        WITH trees AS (
            SELECT id, problem_id || seed AS twin, row_number() OVER (
                PARTITION BY problem_id, seed ORDER BY rollouts DESC, expansions DESC
            ) AS place
            FROM searches WHERE purpose = 'evaluation'
        )
        SELECT count(*) FROM nodes JOIN trees ON trees.id = search_id AND place > 1
        WHERE NOT EXISTS (
            SELECT 1 FROM nodes AS larger JOIN trees AS first ON first.id = larger.search_id
            WHERE first.place = 1 AND first.twin = trees.twin
            AND larger.path = nodes.path AND larger.text = nodes.text
        )
        """,
    )[0][0]


def _check_figures(home: Path, rows: list[dict]) -> None:
    """They are stored, and follow from the stored trees."""
    by_name = {(row["method"], row["rule"], row["trajectories"]): row for row in rows}
    every = by_name["tree", "pass@n", 4]
    right = ask(
        home,
        "SELECT count(DISTINCT problem_id) FROM searches JOIN nodes ON search_id = searches.id "
        "WHERE purpose = 'evaluation' AND nodes.correct",
    )[0][0]
    assert 0 < every["accuracy"] <= right / 6
    stored = ask(home, "SELECT id, pass_at_1, problems FROM evaluations")
    assert {id_ for id_, _, _ in stored} == {row["evaluation_id"] for row in rows}
    assert all(problems == 6 for _, _, problems in stored)
    for rule in ("best PPM", "majority"):
        trees, samples = by_name["tree", rule, 4], by_name["sample", rule, 4]
        assert samples["tokens"] >= trees["tokens"]
    assert by_name["beam", "best PPM", 4]["tokens"] >= by_name["tree", "best PPM", 4]["tokens"]
    assert by_name["greedy", "pass@1", 0]["drawn"] == 1


def test_schedules_are_compared_on_the_same_problems(tmp_path):
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 6)
    make_run(tmp_path / "home")
    file = tmp_path / "schedules.json"
    words = ("--trajectories", "2", "--schedules", "8,8@0.8,2", "--json", str(file))
    said = finish(start(tmp_path / "home", benchmark, *words))
    assert "8 rollouts until 80 % sure" in said
    fixed, adaptive, short = json.loads(file.read_text())["rows"]
    assert fixed["rollouts"] > adaptive["rollouts"] > 0
    assert fixed["converged"] == 0 < adaptive["converged"]
    assert adaptive["tokens_share"][0] == pytest.approx(adaptive["tokens"] / fixed["tokens"])
    assert short["rollouts"] <= 2
    ended = ask(
        tmp_path / "home",
        "SELECT count(*), sum(ended = 'converged') FROM searches WHERE purpose = 'evaluation'",
    )
    assert ended == [(3 * 6 * 2, round(12 * adaptive["converged"]))]
    assert _strays(tmp_path / "home") == 0
    stored = ask(tmp_path / "home", "SELECT method, pass_at_1 FROM evaluations ORDER BY pass_at_1")
    assert sorted(a for _, a in stored) == sorted(
        row["accuracy"][0] for row in (fixed, adaptive, short)
    )
    again = finish(start(tmp_path / "home", benchmark, *words))
    assert again.splitlines()[:-1][-8:] == said.splitlines()[:-1][-8:]
    assert ask(tmp_path / "home", "SELECT count(*) FROM searches")[0][0] == ended[0][0]


OUTSIDE = """
from rstar_async.evaluation.selection import BEST_PPM, PASS_AT_N
from rstar_async.evaluation.strategy import Strategy

class SinglePath(Strategy):
    name = "single-path"
    title = "one path, no branches"
    rules = (BEST_PPM, PASS_AT_N)

    async def grow(self, expander, tree, evaluation):
        node = tree.root
        while node is not None:
            steps = tree.add(node, await expander.expand(node, 1))
            node = next((child for child, _ in steps if child.can_grow), None)
"""


def install_strategy(site: Path) -> Path:
    """What pip leaves of a small package that is not ours."""
    information = site / "single_path-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: single-path\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(
        "[rstar_async.strategies]\nsingle = single_path:SinglePath\n"
    )
    (site / "single_path.py").write_text(OUTSIDE)
    return site


def test_a_strategy_of_another_package_is_evaluated_like_our_own(tmp_path):
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 3)
    make_run(tmp_path / "home")
    file = tmp_path / "table.json"
    words = ("--trajectories", "1,2", "--against", "single-path", "--json", str(file))
    packages = (install_strategy(tmp_path / "site"),)
    said = finish(start(tmp_path / "home", benchmark, *words, packages=packages))
    assert "one path, no branches: best PPM" in said
    by_name = {(row["method"], row["rule"], row["trajectories"]): row for row in figures(file)}
    for count in (1, 2):
        trees, paths = (by_name[method, "pass@n", count] for method in ("tree", "single-path"))
        assert paths["tokens"] >= trees["tokens"] > 0
        assert paths["drawn"] >= 1
    assert not {"greedy", "sample", "beam"} & {row["method"] for row in figures(file)}
    stored = ask(tmp_path / "home", "SELECT method FROM evaluations WHERE method LIKE 'single%'")
    assert sorted(stored) == [("single-path: best PPM",)] * 2 + [("single-path: pass@n",)] * 2
    finish(start(tmp_path / "home", benchmark, *words, packages=packages))
    assert json.loads(file.read_text())["generated"] == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--schedules", "8"], "give two or more different ones"),
        (["--trajectories", "1,zero"], "give numbers from 1 up"),
        (["--trajectories", "0"], "give numbers from 1 up"),
        (["--against", "luck"], "known are greedy, sample, beam"),
        (["--benchmark", "no-such.jsonl"], "no such file"),
        (["--round", "7"], "no published policy of round 7"),
        (["--evaluation.rolouts", "7"], "did you mean 'evaluation.rollouts'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, words, complaint):
    make_run(tmp_path / "home")
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 2)
    command = ["evaluate", str(tmp_path / "home"), "--benchmark", str(benchmark), *COLUMNS]
    assert main([*command, *words]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


def test_problems_that_were_trained_on_are_refused(tmp_path, capsys):
    recipe = make_run(tmp_path / "home")
    benchmark = write_benchmark(tmp_path / "sums.jsonl", 2)
    with open_database(recipe.database_url) as database:
        database.commit(trained_problem(recipe, "What is 1 + 4 + 2?"))
    command = ["evaluate", str(tmp_path / "home"), "--benchmark", str(benchmark), *COLUMNS]
    assert main(command) == 2
    assert "was trained on 1 of its problems" in capsys.readouterr().err


def test_a_folder_that_is_no_model_says_so(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("{}")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert f"`rstar run --model {tmp_path}` makes a run of it" in capsys.readouterr().err
