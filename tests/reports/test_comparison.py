"""Runs compared on the problems that they share."""

import json

import pytest
from msgspec import structs

from rstar_async.cli.main import main
from rstar_async.errors import BadInput
from rstar_async.reports.comparison import compare, named_apart, runs_in
from rstar_async.reports.comparison_tables import accuracies, page_of, tables_of
from storage.database import open_database
from storage.records import Evaluation, EvaluationAnswer, ModelVersion, Problem, Round, Run

RIGHT, WRONG = True, False


def make_run(home, name: str, outcomes: dict[str, list[bool]], rounds: int = 1, **settings):
    """`outcomes`: by question, whether each sample of the last round is right; before, none is."""
    home.mkdir(exist_ok=True)
    recipe = {"name": name, "search": {"rollouts": 8, **settings}, "rounds": [{}] * rounds}
    with open_database(f"sqlite:///{home / 'rstar.db'}") as database:
        database.commit(Run(name, recipe, 1, ""), Round(name, 0, "closed", ""))
        model = ModelVersion(f"policy-{name}", name, "policy", 0, None, "", "published")
        problems = [Problem(f"{name} {q}", name, q, "1", split="heldout") for q in outcomes]
        database.commit(model, *problems)
        for number in range(rounds + 1):
            database.commit(Round(name, number, "closed", model.id))
            id_ = f"{name} {number}"
            answers = [
                EvaluationAnswer(id_, f"{name} {q}", n, "1", right and number == rounds)
                for q, samples in outcomes.items()
                for n, right in enumerate(samples)
            ]
            mean = sum(a.correct is True for a in answers) / len(answers)
            figures = (len(outcomes), 2, 1, mean, 0.0, 1.0)
            database.commit(
                Evaluation(id_, name, number, "policy", "heldout", model.id, None, *figures),
                *answers,
            )
    return str(home)


@pytest.fixture
def homes(tmp_path):
    a = make_run(tmp_path / "a", "run", {"q1": [RIGHT, WRONG], "q2": [WRONG, WRONG], "q3": [RIGHT]})
    other = {"q1": [RIGHT, RIGHT], "q2": [RIGHT, WRONG], "q9": [RIGHT]}
    b = make_run(tmp_path / "b", "run", other, rounds=2, rollouts=16)
    return [a, b]


def compared(homes, number=None):
    found = []
    for home in homes:
        with open_database(f"sqlite:///{home}/rstar.db") as database:
            found += runs_in(database, home[-1])
    return compare(found, number)


def test_differences_are_paired_on_shared_questions_in_the_last_round_of_each(homes):
    (found,) = compared(homes).differences
    assert (found.name, found.method, found.round, found.problems) == ("b", "policy", 2, 2)
    assert (found.accuracy, found.first) == (0.75, 0.25)
    assert (found.difference, found.low, found.high) == (0.5, 0.5, 0.5)


def test_a_round_can_be_chosen(homes):
    (found,) = compared(homes, 1).differences
    assert (found.round, found.difference) == (1, -0.25)
    assert compared(homes, 7).differences == []


def test_the_settings_that_differ_are_listed(homes):
    assert compared(homes).settings == {"search.rollouts": ["8", "16"]}


def test_rounds_that_a_run_does_not_have_are_left_empty(homes):
    table = accuracies(compared(homes))
    assert table.header == ["run", "method", "bootstrap", "round 1", "round 2"]
    assert [row[-1] for row in table.rows] == ["-", "80.0 [0, 100]"]


def test_two_runs_are_needed(homes):
    with pytest.raises(BadInput, match="two runs or more"):
        compared(homes[:1])


def test_runs_of_one_name_are_told_apart(homes):
    found = compared([homes[0], homes[0]])
    assert [run.name for run in named_apart(found.runs)] == ["a", "a (2)"]


def test_the_page_escapes_names_and_loads_nothing(homes):
    found = compared(homes)
    page = page_of(compare([structs.replace(run, name="<b>x") for run in found.runs]))
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page
    assert "://" not in page
    assert [table.title for table in tables_of(found)][1] == "Compared with a"


def test_the_command_prints_and_writes(homes, tmp_path, capsys):
    json_file, page = tmp_path / "c.json", tmp_path / "c.html"
    assert main(["compare", *homes, "--json", str(json_file), "--html", str(page)]) == 0
    said = capsys.readouterr().out
    assert "+50.0 [+50.0, +50.0]" in said
    assert json.loads(json_file.read_text())["differences"][0]["problems"] == 2
    assert page.read_text().startswith("<!doctype html>")
    assert main(["compare", homes[0]]) == 2
