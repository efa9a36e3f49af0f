"""What verbs that look into a run say of places where there is none, and of runs that are over."""

import json
import shutil
import sqlite3

import pytest

from rstar_async.cli.main import main
from rstar_async.cli.stopped_run import state_of
from rstar_async.config import Recipe
from rstar_async.launch.home import prepare_home
from rstar_async.launch.lock import RunLock
from rstar_async.launch.slurm.job_file import SubmittedJob, write_job
from rstar_async.reports.run_summary import RunSummary
from storage.database import open_database
from storage.records import Round, Run
from tests.view import generated

VERBS = {
    "status": ["status", "{place}"],
    "report": ["report", "{place}"],
    "compare": ["compare", "{place}", "{place}"],
    "models": ["models", "{place}"],
    "trajectories": ["trajectories", "{place}"],
    "tree": ["tree", "{place}", "r1-000001"],
    "export": ["export", "{place}", "out.jsonl", "--as", "trees"],
    "view": ["view", "{place}"],
    "db": ["db", "check", "{place}"],
    "evaluate": ["evaluate", "{place}"],
    "solve": ["solve", "1 + 1?", "--model", "{place}"],
}
PLACES = {
    "nowhere": "there is no run at nowhere; there are runs/made",
    "empty": "empty holds no run: it has neither recipe.json nor rstar.db",
    "runs": "runs is a folder of runs: name one of runs/made",
    "notes.txt": "notes.txt is no",
}
OVER = ("status", "report", "compare", "models", "trajectories", "tree", "export", "db")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """`runs/made`, stopped while round 2 is searched, beside other things."""
    folder = tmp_path_factory.mktemp("places")
    home = folder / "runs" / "made"
    recipe = Recipe(name=generated.RUN, home=str(home))
    prepare_home(recipe)
    with RunLock(home), open_database(recipe.database_url) as database:
        generated.fill(database, 2, 2, 30)
    planned(home, 4)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("1 + 1 = 2\n")
    (folder / "begun").mkdir()
    (folder / "begun" / "recipe.json").write_text("{}")
    return folder


def planned(home, rounds):
    """The run's recipe asks for so many rounds."""
    recipe = json.loads((home / "recipe.json").read_text())
    recipe["rounds"] = recipe["rounds"][:1] * rounds
    (home / "recipe.json").write_text(json.dumps(recipe))


def run(verb, place, folder, monkeypatch):
    monkeypatch.chdir(folder)
    return main([word.format(place=place) for word in VERBS[verb]])


@pytest.mark.parametrize(
    ("verb", "place"),
    [(v, p) for v in VERBS for p in PLACES if (v, p) != ("view", "runs")],  # which it shows
)
def test_a_place_without_a_run_is_named_with_what_to_name_instead(
    verb, place, runs, capsys, monkeypatch
):
    assert run(verb, place, runs, monkeypatch) == 2
    said = capsys.readouterr().err
    assert PLACES[place] in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"status", "evaluate", "solve"}))
def test_a_run_that_has_stored_nothing_says_so(verb, runs, capsys, monkeypatch):
    assert run(verb, "begun", runs, monkeypatch) == 2
    assert "the run in begun has stored nothing yet" in capsys.readouterr().err


def test_the_file_of_a_store_is_as_good_as_its_folder_or_the_folder_is_named(
    runs, capsys, monkeypatch
):
    for verb in ("report", "models", "tree"):
        assert run(verb, "runs/made/rstar.db", runs, monkeypatch) == 0
    for verb in ("status", "evaluate", "solve"):
        assert run(verb, "runs/made/rstar.db", runs, monkeypatch) == 2
        assert "name the folder of the run, runs/made" in capsys.readouterr().err


@pytest.mark.parametrize("verb", OVER)
def test_a_run_that_was_interrupted_can_be_looked_at(verb, runs, capsys, monkeypatch):
    (runs / "out.jsonl").unlink(missing_ok=True)
    code = run(verb, "runs/made", runs, monkeypatch)
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert said.out


def test_the_status_of_an_interrupted_run_says_where_it_stopped(runs, capsys, monkeypatch):
    assert run("status", "runs/made", runs, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "generated: stopped in round 2 of 4, searching" in said
    assert "round 2 · search  2/2" in said
    assert "the same command that started it continues" in said
    assert "rstar report runs/made" in said


def test_a_store_of_several_runs_tells_of_the_one_that_the_folder_is_of(runs, capsys, monkeypatch):
    home = runs / "shared"
    shutil.copytree(runs / "runs" / "made", home)
    with open_database(str(home / "rstar.db")) as database:
        database.commit(Run("newer", {}, 1, "test"), Round("newer", 0, "closed", "policy"))
    assert run("status", "shared", runs, monkeypatch) == 0
    assert "generated: stopped in round 2" in capsys.readouterr().out


def test_the_status_of_a_complete_run_has_its_accuracies_and_where_to_look(
    runs, capsys, monkeypatch
):
    home = runs / "over"
    shutil.copytree(runs / "runs" / "made", home)
    planned(home, 2)
    with sqlite3.connect(home / "rstar.db") as store:
        store.execute("UPDATE rounds SET status = 'closed'")
    assert run("status", "over", runs, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "generated: complete, 2 rounds" in said
    assert "policy     40.8 % [35, 47] of held-out problems after round 1" in said
    assert "continues" not in said
    monkeypatch.chdir(runs)
    assert main(["status", "over", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run"]["status"], told["run"]["rounds"], told["progress"]) == ("complete", 2, [])


@pytest.mark.parametrize(
    ("summary", "job", "words"),
    [
        (RunSummary("a", "a", rounds=3, planned=3, status="complete"), "", "complete, 3 rounds"),
        (RunSummary("a", "a", rounds=1, planned=1, status="complete"), "", "complete, 1 round"),
        (
            RunSummary("a", "a", planned=2, status="bootstrap: searched"),
            "",
            "stopped in the bootstrap, training",
        ),
        (
            RunSummary("a", "a", rounds=1, planned=2, status="round 2: trained"),
            "",
            "stopped in round 2 of 2, measuring",
        ),
        (
            RunSummary("a", "a", rounds=1, planned=2, status="between rounds"),
            "",
            "stopped after 1 of 2 rounds",
        ),
        (
            RunSummary("a"),
            "job 7 is pending, (Priority)",
            "before anything was stored; job 7 is pending, (Priority)",
        ),
    ],
)
def test_where_a_run_stands_in_words(summary, job, words):
    assert state_of(summary, job) == words


def test_a_job_that_has_not_begun_is_told_although_nothing_is_stored(tmp_path, capsys, monkeypatch):
    """By a squeue that knows the job."""
    squeue = tmp_path / "squeue"
    squeue.write_text("#!/bin/sh\necho 'PENDING|(Priority)|10:00'\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_job(tmp_path / "run", SubmittedJob("7"))
    assert main(["status", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "run: before anything was stored; job 7 is pending, (Priority)" in said
    assert "rstar report" not in said
