"""What `rstar status` says of the run in a folder."""

import json
import time

import pytest

from rstar_async.cli.run_progress import RunProgress, coordinator_line, phase_began
from rstar_async.config import Recipe
from rstar_async.launch.home import prepare_home
from storage.database import open_database
from storage.leases import Coordinator
from storage.records import Problem, Round, Run, Search


@pytest.fixture
def home(tmp_path):
    recipe = Recipe(home=str(tmp_path))
    prepare_home(recipe)
    with open_database(recipe.database_url) as database:
        database.commit(Run("run", {}, 1, ""))
        database.commit(Round("run", 1, "searching", "m", started_at=time.time() - 100))
        for number, status in enumerate(["finished", "running", "waiting", "waiting"]):
            problem = Problem(f"p{number}", "run", f"{number}?", "1")
            search = Search(f"s{number}", "run", 1, problem.id, "train", 1, "m", status=status)
            database.commit(problem, search)
    return tmp_path


def test_round_phase_progress_and_the_time_left_are_told(home):
    (fact,) = RunProgress(home).facts()
    assert (fact["stage"], fact["done"], fact["total"]) == ("round 1 · search", 1, 4)
    assert fact["seconds_left"] == pytest.approx(3 * fact["seconds"])
    text = " ".join(line.plain for line in RunProgress(home).lines(80))
    assert "1/4" in text
    assert "5:0" in text.partition(" left")[0]


def test_the_time_left_of_a_training_counts_from_its_own_beginning(tmp_path):
    now, home, recipe = time.time(), tmp_path, Recipe(home=str(tmp_path))
    prepare_home(recipe)
    with open_database(recipe.database_url) as database:
        database.commit(Run("run", {}, 1, ""))
        database.commit(Round("run", 1, "searched", "m", searched_at=now - 1000))
    steps = [
        ("policy", 0, 9, 900),
        ("policy", 9, 9, 120),
        ("ppm", 0, 300, 100),
        ("ppm", 25, 300, 0),
    ]
    records = [
        {"phase": phase, "round": 1, "step": step, "total": total, "time": now - ago}
        for phase, step, total, ago in steps
    ]
    file = home / "training" / "progress.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(map(json.dumps, records)))
    (fact,) = RunProgress(home).facts()
    assert (fact["stage"], fact["done"], fact["total"]) == ("round 1 · PPM", 25, 300)
    assert fact["seconds"] == pytest.approx(100, abs=30)
    assert fact["seconds_left"] == pytest.approx(11 * fact["seconds"])


def test_without_a_run_there_is_nothing_to_tell(tmp_path):
    assert RunProgress.of(tmp_path) is None
    assert RunProgress.of(None) is None


def test_a_phase_begins_where_the_one_before_it_ended():
    times = {"started_at": 1.0, "searched_at": 2.0, "trained_at": 3.0}
    began = [
        phase_began(Round("r", 1, s, "m", **times)) for s in ("searching", "searched", "trained")
    ]
    assert began == [1.0, 2.0, 3.0]


def test_each_of_several_coordinators_has_a_line() -> None:
    leading = Coordinator(3, "coordinator-1", 6, 21.4, leads=True)
    silent = Coordinator(4, "coordi\x1bnator-2", 1, -5.2, leads=False)
    assert coordinator_line(leading).plain == ("coordinator-1: leads · 6 problems · lease for 21 s")
    assert coordinator_line(silent).plain == "coordi␛nator-2: 1 problem · lease expired 5 s ago"


def test_one_that_has_the_run_to_itself_is_not_listed(home) -> None:
    assert RunProgress(home).coordinators() == []
