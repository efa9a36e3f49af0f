"""What users have for mathematics works on a store of programming problems."""

import json

import pytest
import trio

from rstar_async.cli.export import FORMATS
from rstar_async.cli.main import main
from storage import queries
from storage.database import open_database
from tests.cli.test_evaluate import figures, finish, start
from tests.domains.programming.stored_run import ADD, LACKING, make_searched_run, write_tasks

HELD_OUT = ("--trajectories", "2", "--against", "sample", "--evaluation.rollouts", "6")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("programs") / "run"
    trio.run(make_searched_run, home)
    return home


def test_its_trees_have_programs_of_every_verdict(home):
    with open_database(str(home / "rstar.db")) as database:
        searches = database.read(queries.searches_of, "scripted", 2, "train")
        nodes = [node for search in searches for node in database.read(queries.nodes_of, search.id)]
    verdicts = {(ADD in node.answer, node.correct) for node in nodes if node.status == "answer"}
    assert {correct for _, correct in verdicts} == {True, False, None}
    assert any("1 of 4 pass" not in node.exec_error for node in nodes)


def test_report(home, tmp_path, capsys):
    page, table, figures_ = (tmp_path / name for name in ("r.html", "r.md", "r.json"))
    files = ("--html", str(page), "--markdown", str(table), "--json", str(figures_))
    assert main(["report", str(home), *files]) == 0
    assert "run scripted" in capsys.readouterr().out
    rows = [round_["row"] for round_ in json.loads(figures_.read_text())["rounds"]]
    (round_,) = [row for row in rows if row["number"] == 2]
    assert (round_["problems"], round_["solved"]) == (2, 1)
    assert "scripted" in page.read_text()
    assert "| 2 |" in table.read_text()


@pytest.mark.parametrize("wanted", FORMATS)
def test_export(home, tmp_path, wanted):
    out = tmp_path / "rows.jsonl"
    assert main(["export", str(home), str(out), "--as", wanted]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows
    text = out.read_text()
    assert "The function is `add`." in text
    if wanted == "problems":
        assert {json.loads(row["answer"])["entry_point"] for row in rows} == {ADD, LACKING}
    else:
        assert "def add(*numbers):" in text
    if wanted in ("sft", "messages", "prompt-completion"):
        assert "assert add(" not in text  # the tests are hidden


def test_trajectories_and_trees_are_printed(home, capsys):
    assert main(["trajectories", str(home), "--json"]) == 0
    (solution, *_) = map(json.loads, capsys.readouterr().out.splitlines())
    assert "def add(*numbers):" in solution["text"]
    assert main(["tree", str(home), solution["search_id"]]) == 0
    said = capsys.readouterr().out
    assert '"entry_point":"add"' in said
    assert "TestsFailed: 2 of 3 pass" in said


def test_evaluate_measures_programs_by_their_tests(home, tmp_path):
    """By real processes."""
    tasks, file = write_tasks(tmp_path / "tasks.jsonl"), tmp_path / "table.json"
    said = finish(start(home, tasks, *PROGRAMS, *HELD_OUT, "--json", str(file)))
    assert "percent of 2 of 2 problems" in said
    by_rule = {(row["method"], row["rule"]): row for row in figures(file) if row["trajectories"]}
    assert by_rule["tree", "pass@n"]["accuracy"] == 1.0
    assert by_rule["sample", "pass@n"]["tokens"] > 0


PROGRAMS = ("--problems.question", "question", "--problems.answer", "answer")
