"""What the bars show of a round in each of its states."""

import json

import pytest
from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.coordinator.stages import Measuring, open_round_stages, stages_of, steps_in
from storage.database import open_database
from storage.records import Problem, Round, Run, Search

SEARCHED = ("searched", "trained", "closed")


@pytest.fixture
def recipe(tmp_path):
    recipe = Recipe(home=str(tmp_path))
    with open_database(recipe.database_url) as database:
        problems = [Problem(f"p{n}", "run", f"{n}?", "1") for n in range(3)]
        searches = [
            Search(f"s{n}", "run", 1, f"p{n}", "train", 1, "m", status=status)
            for n, status in enumerate(["finished", "failed", "running"])
        ]
        database.commit(Run("run", {}, 1, ""), *problems, Round("run", 1, "searching", "m"))
        database.commit(*searches)
    return recipe


def log_steps(recipe: Recipe, *steps: tuple[str, int, int, int]) -> None:
    folder = recipe.home_folder / "training"
    folder.mkdir(exist_ok=True)
    rows = [
        {"phase": phase, "round": number, "step": step, "total": total, "loss": 0.5}
        for phase, number, step, total in steps
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "progress.jsonl").write_text(text + '{"phase": "po')


def shown(recipe, status, measuring=None) -> dict[str, tuple[int, int, bool]]:
    round_ = Round("run", 1, status, "m")
    with open_database(recipe.database_url) as database:
        stages = database.read(stages_of, recipe, round_, measuring)
    return {s.title.removeprefix("round 1 · "): (s.done, s.total, s.ended) for s in stages}


def test_the_search_counts_failed_searches_as_done(recipe):
    assert shown(recipe, "searching") == {"search": (2, 3, False)}
    with open_database(recipe.database_url) as database:
        (stage,) = database.read(open_round_stages, recipe)
    assert (stage.note, stage.tokens) == ("1 searches wait for their first steps", 0)


@pytest.mark.parametrize("status", SEARCHED)
def test_the_bar_of_the_search_ends_with_it(recipe, status):
    assert shown(recipe, status)["search"] == (2, 3, True)


def test_steps_of_another_round_are_not_shown(recipe):
    log_steps(recipe, ("bootstrap", 0, 4, 4), ("policy", 2, 1, 9))
    assert shown(recipe, "searched") == {"search": (2, 3, True), "prepare": (0, 0, False)}


def test_each_training_has_a_bar_and_the_earlier_one_has_ended(recipe):
    log_steps(recipe, ("policy", 1, 8, 9), ("ppm", 1, 2, 50))
    found = shown(recipe, "searched")
    assert found["policy"] == (9, 9, True)
    assert found["PPM"] == (2, 50, False)
    assert shown(recipe, "trained")["PPM"] == (50, 50, True)


def test_samples_are_counted_while_they_are_made(recipe):
    measuring = Measuring()
    measuring.begin(1, 4)
    measuring.count(100)
    assert shown(recipe, "trained", measuring)["sample heldout"] == (1, 4, False)
    for _ in range(3):
        measuring.count(100)
    assert shown(recipe, "trained", measuring)["sample heldout"] == (4, 4, True)


def test_samples_that_were_stored_before_have_no_bar(recipe):
    measuring = Measuring()
    measuring.begin(1, 4)
    measuring.end()
    assert "sample heldout" not in shown(recipe, "closed", measuring)


def test_trees_over_heldout_problems_have_a_bar_that_ends_with_the_round(recipe):
    with open_database(recipe.database_url) as database:
        search = Search("e", "run", 1, "p0", "evaluation", 1, "m", status="finished")
        database.commit(search, structs.replace(search, id="f", status="running"))
    assert shown(recipe, "trained")["search heldout"] == (1, 2, False)
    assert shown(recipe, "closed")["search heldout"] == (1, 2, True)


def test_a_line_that_is_being_written_is_left_out(recipe):
    log_steps(recipe, ("policy", 1, 1, 2))
    assert [s.step for s in steps_in(recipe.home_folder / "training" / "progress.jsonl")] == [1]
