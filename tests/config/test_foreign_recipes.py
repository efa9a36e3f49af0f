"""Recipes of any content: read, or refused in one short line."""

import pytest

from rstar_async.config import Recipe
from rstar_async.config.loader import changed, read_recipe, read_stored_recipe
from rstar_async.errors import BadInput

LONG = "x" * 1_000_000
RECIPES = {
    "UTF-16": 'name = "x"'.encode("utf-16"),
    "no UTF-8": b'name = "\xff"',
    "NUL": b'home = "a\0b"',
    "NUL, escaped": b'home = "a\\u0000b"',
    "half a character": b'home = "a\\ud800b"',
    "a great depth": b"a = " + b"[" * 100_000,
    "a great depth of tables": b"a = " + b"{a = " * 5_000 + b"1" + b"}" * 5_000,
    "5,000 digits": b"seed = " + b"9" * 5_000,
    "a long key": LONG.encode() + b" = 1",
    "a long value of another type": f'[search]\nrollouts = "{LONG}"'.encode(),
    "a long value that is none of some": f'preset = "{LONG}"'.encode(),
    "a preset that is a list": b'preset = ["paper"]',
    "a preset that is a table": b"preset = {a = 1}",
    "a section that is a number": b"search = 1",
    "rounds that are a number": b"rounds = 5",
    "rounds of numbers": b"rounds = [1]",
    "a date": b"seed = 1979-05-27",
    "NaN": b"seed = nan",
    "itself": b'extends = "r.toml"',
    "a folder": b'extends = "."',
    "rounds below that are a number": b'extends = "below.toml"\nrounds = [{}, 5]',
}


def refused(read, *words) -> str:
    with pytest.raises(BadInput) as caught:
        read(*words)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 600
    said.encode()
    return said


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_is_none_is_refused_in_one_line_with_its_name(tmp_path, name):
    (tmp_path / "below.toml").write_text("rounds = 5\n")
    (tmp_path / "r.toml").write_bytes(RECIPES[name])
    assert str(tmp_path) in refused(read_recipe, tmp_path / "r.toml")


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "r.toml").write_bytes(b'\xef\xbb\xbfname = "mine"\n')
    assert read_recipe(tmp_path / "r.toml").name == "mine"
    (tmp_path / "recipe.json").write_bytes(b'\xef\xbb\xbf{"name": "mine"}')
    assert read_stored_recipe(tmp_path / "recipe.json").name == "mine"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ([("home", "a\udc80")], "home is 'a\\udc80', which is not UTF-8 text"),
        ([("name", "a\0")], "name is 'a\\x00', which is not"),
        ([("search.rollouts", "1\nseed = 2")], "$.search.rollouts"),
        ([("search.rollouts", "[" * 100_000)], "$.search.rollouts"),
        ([("search." + LONG, "2")], "unknown key 'search.xxx"),
        ([("search", "1"), ("search.rollouts", "2")], "'search.rollouts' and a part of it"),
        ([("search.rollouts", "2"), ("search", "1")], "'search' is given a value, and so is"),
        ([("rounds.0.problems", "2")], "rounds are set in a recipe ([[rounds]])"),
        ([(".".join(["search"] * 5_000), "1")], "unknown key 'search.search'"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_one_line(settings, says):
    assert says in refused(changed, Recipe(), settings)


@pytest.mark.parametrize(
    "content",
    [
        *("[" * 100_000, '{"a":' * 100_000, "[]", "", '{"seed": %s}' % ("9" * 5_000), "{'a': 1}"),
        *('{"seed": NaN}', '{"home": "\\ud800"}', '{"home": "\\u0000"}', '{"rounds": 5}', "\xff"),
    ],
)
def test_a_stored_recipe_that_is_none_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "recipe.json").write_text(content, encoding="latin-1")
    assert "recipe.json" in refused(read_stored_recipe, tmp_path / "recipe.json")


@pytest.mark.parametrize("home", ["x{1}", "{user}/x", "a?b=1", "per%20cent", "a#b", "a: b", "{}"])
def test_no_character_of_a_home_has_another_meaning(tmp_path, home):
    recipe = changed(Recipe(name="mine"), [("home", f"{tmp_path}/{{name}}/{home}")])
    assert recipe.home_folder == tmp_path / "mine" / home
    assert recipe.database_url == str(tmp_path / "mine" / home / "rstar.db")
