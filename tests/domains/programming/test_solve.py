"""`rstar solve` for a program, by real processes and the scripted engine, which adds up."""

import json
import sqlite3

from rstar_async.cli.main import main
from tests.cli.test_solve import solve
from tests.evaluation.scripted_run import make_run

# Of a program that adds up two numbers only.
FORGETFUL = "TestsFailed: 1 of 2 pass\ntest 2 wrong: it returned 4"
QUESTION = "Write a function that adds up its arguments."


def test_the_answer_is_judged_by_the_given_tests_and_the_store_has_each_verdict(tmp_path):
    home, kept, tests = tmp_path / "run", tmp_path / "kept", tmp_path / "tests.py"
    make_run(home)
    tests.write_text("assert add(1, 2) == 3\nassert add(2, 2, 2) == 6\n")
    words = (QUESTION, "--model", str(home), "--domain", "programming", "--tests", str(tests))
    few = ("--trajectories", "2", "--evaluation.rollouts", "8")
    done = solve(*words, *few, "--home", str(kept), "--json")
    assert done.returncode == 0, done.stderr
    solved = json.loads(done.stdout)
    assert solved["passes"] is True
    assert "def add(*numbers):" in solved["text"]
    assert solved["question"].startswith(QUESTION + "\nThe function is `add`.\nExample: ")
    with sqlite3.connect(f"file:{kept}/rstar.db?mode=ro", uri=True) as connection:
        reports = connection.execute("SELECT exec_error FROM nodes WHERE status = 'answer'")
        assert {report for (report,) in reports} <= {"", FORGETFUL}


def test_tests_are_refused_for_mathematics(tmp_path, capsys):
    make_run(tmp_path / "run")
    words = [QUESTION, "--model", str(tmp_path / "run"), "--tests", str(tmp_path / "t.py")]
    assert main(["solve", *words]) == 2
    assert "--tests is for programs: add --domain programming" in capsys.readouterr().err
