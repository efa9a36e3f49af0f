"""A domain that another package declares, through the real commands with the scripted engine."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.cli.main import main
from tests.evaluation.scripted_run import make_run

MODULE = '''
from rstar_async.answers.extract import extract_answer
from rstar_async.domains.base import Domain, Verification


class Parity(Domain):
    """An answer is right if it is as even or odd as the gold answer, by a program's output."""

    @classmethod
    def read_problem(cls, row, columns, where):
        return row["task"], row["parity"]

    async def verify(self, problem, path, executor):
        answer = extract_answer(path[-1].text) or ""
        return Verification(answer, "right" if await parity(answer, executor) == problem.answer
                            else "wrong")

    async def group(self, problem, answers, executor):
        firsts = {}
        return {a: firsts.setdefault(await parity(a, executor), a) for a in answers}


async def parity(answer, executor):
    ran = await executor.run([f"print('odd' if int({answer!r}) % 2 else 'even')"])
    return ran.stdout.strip()
'''
RECIPE = """
name = "parity"
home = "{home}"
[bootstrap]
kind = "checkpoint"
[problems]
domain = "parity"
source = "{problems}"
heldout = 2
[search]
rollouts = 3
candidates = 3
max_tokens = 64
[policy]
batch_size = 8
[evaluation]
samples = 1
rollouts = 1
candidates = 2
[workers]
engine = "scripted"
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment in which a package with the domain is installed."""
    site = tmp_path / "site"
    facts = site / "parity-1.0.dist-info"
    facts.mkdir(parents=True)
    (site / "parity.py").write_text(MODULE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: parity\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[rstar_async.domains]\nparity = parity:Parity\n")
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def rstar(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rstar_async.cli", *words],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def write_problems(file: Path, count: int) -> Path:
    sums = [(n, n + 3, 2 * n) for n in range(1, count + 1)]
    rows = [
        {
            "task": f"What is {a} + {b} + {c}?",
            "parity": "odd" if (a + b + c) % 2 else "even",
        }
        for a, b, c in sums
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def answers(home: Path, purpose: str) -> list[tuple[str, str, int]]:
    """Gold answer, given answer and verdict of each stored answer."""
    with sqlite3.connect(f"file:{home}/rstar.db?mode=ro", uri=True) as connection:
        return connection.execute(
            "SELECT problems.answer, nodes.answer, correct FROM nodes "
            "JOIN searches ON searches.id = search_id JOIN problems ON problems.id = problem_id "
            "WHERE nodes.status = 'answer' AND purpose = ?",
            (purpose,),
        ).fetchall()


def assert_judged_by_parity(found: list[tuple[str, str, int]]) -> None:
    assert found
    for gold, given, correct in found:
        assert bool(correct) == (("odd" if int(given) % 2 else "even") == gold)
    assert any(correct and given not in ("odd", "even") for _, given, correct in found)


def test_a_model_is_evaluated_in_a_domain_of_another_package(tmp_path, installed):
    make_run(tmp_path / "home")
    file = write_problems(tmp_path / "tasks.jsonl", 3)
    table = tmp_path / "table.json"
    words = ("--trajectories", "2", "--against", "sample", "--json", str(table))
    domain = ("--problems.domain", "parity")
    rstar(installed, "evaluate", str(tmp_path / "home"), "--benchmark", str(file), *words, *domain)
    assert_judged_by_parity(answers(tmp_path / "home", "evaluation"))
    assert json.loads(table.read_text())["problems"] == 3


def test_answers_that_the_domain_holds_equal_are_one_vote(tmp_path, installed):
    make_run(tmp_path / "home")
    words = ("What is 3 + 4 + 5?", "--model", str(tmp_path / "home"), "--trajectories", "6")
    said = rstar(installed, "solve", *words, "--json", "--problems.domain", "parity")
    votes = [vote["answer"] for vote in json.loads(said)["votes"]]
    assert len({int(answer) % 2 for answer in votes}) == len(votes)


def test_a_run_searches_and_trains_in_a_domain_of_another_package(tmp_path, installed):
    file = write_problems(tmp_path / "tasks.jsonl", 6)
    recipe = tmp_path / "parity.toml"
    recipe.write_text(RECIPE.format(home=tmp_path / "home", problems=file))
    rstar(installed, "run", str(recipe))
    assert_judged_by_parity(answers(tmp_path / "home", "train"))


@pytest.mark.parametrize("command", [["run", "--problems.domain", "chess"]])
def test_an_unknown_domain_is_named_with_those_that_are_known(command, capsys):
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said == "rstar: problems.domain: there is no domain 'chess'; known: math, programming\n"
