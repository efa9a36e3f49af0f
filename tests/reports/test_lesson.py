"""What the closing lines of a run say it learnt, or why it did not."""

import pytest
from msgspec import structs

from rstar_async.config import BootstrapConfig, PolicyConfig, Recipe
from rstar_async.reports.lesson import Searched, found_in, lesson_of, remedies
from storage.database import open_database
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    ModelVersion,
    Node,
    Problem,
    Round,
    Run,
    Search,
)

BASE = ModelVersion("base", "run", "policy", 0, None, "", "published")
REFUSED = ModelVersion(
    "policy-r001-none", "run", "policy", 1, "base", "", "refused", "none of 1 problems was solved"
)


@pytest.fixture
def recipe(tmp_path):
    return Recipe(home=str(tmp_path))


def stored(recipe, *versions, statuses=("unfinished", "unfinished", "answer")):
    with open_database(recipe.database_url) as database:
        database.commit(
            Run("run", {}, 1, ""), Problem("p", "run", "?", "7"), Problem("q", "run", "??", "8")
        )
        database.commit(Round("run", 0, "closed", "base"), Round("run", 1, "closed", "base"))
        database.commit(Search("s", "run", 1, "p", "train", 1, "base", status="finished"))
        database.commit(*(node(f"0.{n}", status) for n, status in enumerate(statuses, 1)))
        database.commit(BASE, *versions)
    return recipe


def node(path: str, status) -> Node:
    return Node("s", path, 1, 1, "", "", (), (), status)


def measure(recipe, number: int, right: list[bool]) -> None:
    with open_database(recipe.database_url) as database:
        mean = sum(right) / len(right)
        one = Evaluation(
            f"e{number}", "run", number, "policy", "heldout", "m", None, 2, 1, 1, mean, 0, 1
        )
        answers = [
            EvaluationAnswer(one.id, problem, 0, "7", correct)
            for problem, correct in zip("pq", right, strict=True)
        ]
        database.commit(one, *answers)


def lesson(recipe):
    with open_database(recipe.database_url) as database:
        return lesson_of(database, recipe)


def test_where_nothing_was_solved_reason_findings_and_remedies_are_told(recipe):
    found = lesson(stored(recipe, REFUSED))
    assert not found.learnt
    assert found.reason == "none of 1 problems was solved"
    assert found.found == "of 3 steps 2 had no end, 1 answered, all wrong"
    assert found.remedies[0].startswith("--bootstrap.kind demonstrations")
    assert found.remedies[1].startswith("--bootstrap.source FILE")


def test_a_run_that_trained_its_policy_has_learnt(recipe):
    trained = structs.replace(BASE, id="policy-r001-0", round=1, parent_id="base")
    assert lesson(stored(recipe, trained)).learnt


@pytest.mark.parametrize(("steps", "is_short"), [(2, True), (29, True), (30, False)])
def test_a_training_of_few_steps_is_told_unless_it_gained(recipe, steps, is_short):
    trained = structs.replace(BASE, id="p", round=1, parent_id="base", metrics={"steps": steps})
    stored(recipe, trained)
    found = lesson(recipe)
    assert found.learnt
    assert bool(found.reason) is is_short
    if is_short:
        assert found.reason.startswith(f"the last policy was trained for {steps} optimiser steps")
        assert any(remedy.startswith("--policy.batch_size 4") for remedy in found.remedies)
    measure(recipe, 0, [False, False])
    measure(recipe, 1, [True, True])
    assert lesson(recipe).reason == ""


def test_a_run_that_was_not_to_train_has_nothing_to_explain(recipe):
    searching = structs.replace(recipe, policy=PolicyConfig(train=False))
    assert lesson(stored(searching, REFUSED)).learnt


def test_the_gain_is_paired_by_problem(recipe):
    stored(recipe, structs.replace(BASE, id="policy-r001-0", round=1, parent_id="base"))
    assert lesson(recipe).accuracy is None
    measure(recipe, 0, [False, True])
    assert lesson(recipe).gain is None
    measure(recipe, 1, [True, True])
    found = lesson(recipe)
    assert found.accuracy == 1.0
    assert found.gain.mean == 0.5
    assert found.gain.low < 0 < found.gain.high


@pytest.mark.parametrize(
    ("endings", "option"),
    [
        ({"unfinished": 9, "live": 1}, "--search.max_tokens 512"),
        ({"too_deep": 5, "live": 5}, "--search.max_depth 32"),
        ({"too_long": 5, "live": 5}, "--problems FILE  with shorter questions"),
        ({"live": 10}, "--search.rollouts 16 --search.candidates 10"),
    ],
)
def test_remedies_follow_from_what_the_steps_came_to(recipe, endings, option):
    found = remedies(recipe, Searched(3, 0, endings))
    assert any(remedy.startswith(option) for remedy in found)
    assert ("--bootstrap" in " ".join(found)) == ("unfinished" in endings)


def test_a_model_that_was_taught_the_format_is_to_be_taught_longer():
    recipe = Recipe(bootstrap=BootstrapConfig(kind="demonstrations"))
    found = remedies(recipe, Searched(3, 0, {"malformed": 1}))
    assert found[0].startswith("--bootstrap.demonstrations 320")


def test_solutions_that_are_all_too_long_ask_for_room():
    assert remedies(Recipe(), Searched(3, 2, {"answer": 4}))[0].startswith("--policy.max_length")


def test_what_was_found_is_counted_by_its_end():
    searched = Searched(2, 0, {"live": 5, "malformed": 1, "code_error": 1200}, answers=0)
    assert found_in(searched) == "of 1,206 steps 1 were not in the format, 1,200 failed as code"
    assert found_in(Searched()) == ""
