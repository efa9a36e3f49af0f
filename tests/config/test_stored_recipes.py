"""What an older version stored is read as far as it still means something."""

import json
import logging
import subprocess
import sys

import pytest
from msgspec import structs

from rstar_async.config import BoundsConfig, Recipe, RoundConfig
from rstar_async.config.loader import as_toml_values, read_stored_recipe
from rstar_async.config.schema import known_settings
from rstar_async.errors import BadInput

RECIPE = Recipe(
    name="old",
    bounds=BoundsConfig(tokens=7),
    rounds=(RoundConfig(rollouts=2), RoundConfig(seeds=2)),
)


@pytest.fixture
def stored(tmp_path):
    def store(values):
        path = tmp_path / "recipe.json"
        path.write_text(json.dumps(values))
        return path

    return store


def test_a_recipe_of_this_version_is_read_as_it_was_without_a_word(stored, caplog):
    assert read_stored_recipe(stored(as_toml_values(RECIPE))) == RECIPE
    assert not caplog.records


def test_settings_that_were_removed_are_named_and_left_out(stored, caplog):
    older = as_toml_values(RECIPE)
    older["search"]["widening"] = 0.5
    older["rounds"][1]["patience"] = 3
    older["curriculum"] = {"steps": 4}
    with caplog.at_level(logging.WARNING):
        assert read_stored_recipe(stored(older)) == RECIPE
    (warning,) = caplog.messages
    for name in ("search.widening", "rounds.patience", "curriculum"):
        assert name in warning


def test_settings_that_came_later_have_their_defaults(stored):
    older = as_toml_values(RECIPE)
    del older["bounds"]["tokens"], older["gate"]
    assert read_stored_recipe(stored(older)) == structs.replace(RECIPE, bounds=BoundsConfig())


def test_a_value_of_another_type_is_refused(stored):
    older = as_toml_values(RECIPE)
    older["search"]["rollouts"] = "many"
    with pytest.raises(BadInput, match=r"recipe\.json.*rollouts"):
        read_stored_recipe(stored(older))


def test_what_is_no_recipe_is_refused(stored, tmp_path):
    with pytest.raises(BadInput, match="cannot read"):
        read_stored_recipe(stored([1, 2]))
    with pytest.raises(BadInput, match="cannot read"):
        read_stored_recipe(tmp_path / "absent.json")


def test_nothing_is_lost_of_what_is_known():
    values = as_toml_values(RECIPE)
    assert known_settings(values) == (values, [])


@pytest.mark.parametrize(
    "process", [("rstar_async.trainer",), ("rstar_async.coordinator", "--sockets", "nowhere")]
)
def test_a_process_whose_recipe_cannot_be_read_says_so_and_ends_with_2(process, tmp_path):
    command = [sys.executable, "-m", *process, "--recipe", str(tmp_path / "no.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"cannot read {tmp_path}/no.json" in done.stderr
    assert done.stderr.count("\n") == 1
