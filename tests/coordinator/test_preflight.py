"""A run may be given more rounds; what it was begun with stays."""

import pytest
from msgspec import structs

from rstar_async.config import BootstrapConfig, ProblemsConfig, Recipe, RoundConfig
from rstar_async.config.loader import as_toml_values
from rstar_async.coordinator.driver import Driver, run_row
from rstar_async.coordinator.preflight import check_startable
from rstar_async.errors import BadInput
from storage import queries, records, tables
from storage.database import open_database


@pytest.fixture
def recipe(tmp_path):
    return Recipe(
        home=str(tmp_path), rounds=(RoundConfig(rollouts=2, candidates=3), RoundConfig(rollouts=4))
    )


def begin(recipe, rounds: int) -> None:
    driver = Driver(recipe, store=None, runner=None)
    with open_database(recipe.database_url) as database:
        database.commit(run_row(recipe))
        for number in range(rounds + 1):
            settings = driver._round_settings(number)
            database.commit(records.Round("run", number, "searching", "p", settings=settings))


def changed(recipe, *rounds: RoundConfig, **settings):
    return structs.replace(recipe, rounds=rounds or recipe.rounds, **settings)


def test_a_run_may_be_given_more_rounds_and_other_workers(recipe):
    begin(recipe, rounds=1)
    check_startable(recipe)
    check_startable(changed(recipe, *recipe.rounds, RoundConfig()))
    check_startable(changed(recipe, recipe.rounds[0], RoundConfig(rollouts=99)))
    check_startable(changed(recipe, workers=structs.replace(recipe.workers, executor=7)))


def test_a_round_that_has_begun_stays_as_it_was(recipe):
    begin(recipe, rounds=1)
    with pytest.raises(BadInput, match=r"rounds\[1\]\.rollouts = 2, now it is 3"):
        check_startable(changed(recipe, RoundConfig(rollouts=3, candidates=3), RoundConfig()))
    begin(recipe, rounds=2)
    with pytest.raises(BadInput, match="has round 2 already"):
        check_startable(changed(recipe, recipe.rounds[0]))


def test_other_settings_are_refused(recipe):
    begin(recipe, rounds=0)
    with pytest.raises(BadInput, match="seed = 1, now it is 2"):
        check_startable(changed(recipe, seed=2))


def test_a_setting_that_this_version_no_longer_has_is_ignored(recipe):
    begin(recipe, rounds=0)
    with open_database(recipe.database_url) as database:
        run = database.read(queries.run_by_id, recipe.name)
        older = {**run.recipe, "search": {**run.recipe["search"], "widening": 0.5}}
        database.change(lambda c: c.execute(tables.runs.update().values(recipe=older)))
    check_startable(recipe)


def test_a_round_is_stored_with_everything_that_holds_in_it(recipe):
    settings = Driver(recipe, None, None)._round_settings(1)
    assert settings["round"]["rollouts"] == 2
    assert (settings["search"]["rollouts"], settings["search"]["candidates"]) == (2, 3)
    everything = as_toml_values(recipe).keys() - {
        "rounds",
        "home",
        "database",
        "workers",
        "observe",
    }
    assert everything <= settings.keys()


def test_an_example_to_learn_from_must_not_be_a_heldout_problem(recipe, tmp_path):
    problems, examples = tmp_path / "p.jsonl", tmp_path / "e.jsonl"
    problems.write_text(
        '{"question": "1 + 1?", "answer": "2"}\n{"question": "2?", "answer": "2"}\n'
    )
    examples.write_text('{"question": "2?", "solution": "print(2)", "answer": "2"}\n')
    source = ProblemsConfig(source=str(problems), heldout=1)
    bootstrap = BootstrapConfig(kind="demonstrations", source=str(examples))
    with pytest.raises(BadInput, match="'2\\?' is a held-out problem"):
        check_startable(changed(recipe, problems=source, bootstrap=bootstrap))
    none_held_out = structs.replace(source, heldout=0)
    check_startable(changed(recipe, problems=none_held_out, bootstrap=bootstrap))


def test_a_dataset_of_a_hub_is_asked_for_by_its_prefix(recipe):
    with pytest.raises(BadInput, match="give hf:openai/gsm8k@train"):
        check_startable(changed(recipe, problems=ProblemsConfig(source="openai/gsm8k")))
