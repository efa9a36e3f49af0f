from rstar_async.config import Recipe, SearchConfig
from rstar_async.planning.provenance import changed_settings, origins


def test_the_last_layer_that_names_a_setting_is_its_origin(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text('preset = "paper"\n[search]\nrollouts = 3\ntop_p = 0.9\n')
    found = origins(file, [("search.top_p", "0.8"), ("seed", "7")])
    assert found["search.candidates"] == "preset paper"
    assert found["search.rollouts"] == str(file)
    assert found["search.top_p"] == "command line"
    assert found["seed"] == "command line"
    assert "search.temperature" not in found


def test_what_follows_from_the_model_and_what_a_run_was_started_with_are_named():
    assert origins(None, [("model.base", "demo")])["bootstrap.kind"] == "follows from the model"
    started = {"bootstrap": {"kind": "few_shot"}, "seed": 3}
    found = origins(None, [], started)
    assert found["bootstrap.kind"] == "the run, as it was started"
    assert found["seed"] == "the run, as it was started"


def test_settings_that_differ_from_the_defaults_are_listed():
    assert changed_settings(Recipe()) == {}
    assert changed_settings(Recipe(search=SearchConfig(rollouts=3))) == {"search.rollouts": 3}


def test_the_url_of_the_database_is_not_listed():
    assert changed_settings(Recipe(database="postgresql://me:secret@host/db")) == {}
