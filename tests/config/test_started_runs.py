import pytest

from rstar_async.config import Recipe, RoundConfig
from rstar_async.config.loader import as_toml_values, read_recipe
from rstar_async.config.started_runs import layer_below, settings_of_started_run
from rstar_async.errors import BadInput

OLDER = {"name": "old", "ppm": {"trajectory_pairs": True, "epochs": 2.0}, "gone": {"x": 1}}


def test_settings_that_did_not_exist_describe_what_was_done_then():
    settings, removed = settings_of_started_run(OLDER)
    assert settings["ppm"] == {
        "trajectory_pairs": True,
        "epochs": 2.0,
        "score_at": "last_token",
        "pair_loss": "pairwise",
        "min_steps": 0,
        "trust": "always",
    }
    assert settings["search"] == {"path_value": "last"}
    assert removed == ["gone"]


def test_a_run_that_has_such_settings_keeps_them():
    stored = as_toml_values(Recipe(rounds=(RoundConfig(),)))
    settings, _ = settings_of_started_run(stored)
    assert settings["ppm"]["score_at"] == "differing_tokens"


def test_a_recipe_that_does_not_name_a_setting_means_the_runs_value():
    recipe = read_recipe(None, [("ppm.epochs", "3")], OLDER)
    assert recipe.ppm.trajectory_pairs is True
    assert recipe.ppm.score_at == "last_token"
    assert recipe.ppm.epochs == 3
    assert recipe.name == "old"


def test_what_may_change_between_two_starts_is_not_taken_from_the_run():
    below = layer_below({"name": "old", "workers": {"executor": 7}, "home": "/elsewhere"})
    assert "workers" not in below
    assert "home" not in below


def test_values_of_the_run_are_checked_too():
    with pytest.raises(BadInput, match=r"search\.rollouts"):
        read_recipe(None, [], {"search": {"rollouts": -1}})
