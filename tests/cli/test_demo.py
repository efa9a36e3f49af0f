"""`rstar demo` runs the recipe that is part of the package."""

from pathlib import Path

from rstar_async.cli.demo import RECIPE
from rstar_async.cli.main import main


def test_it_is_a_run_of_its_own_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--rounds", "2", "--seed", "5", "--dry-run", "--no-probe"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "300 to search in 2 rounds, 120 held out" in told
    assert "seed 5 (command line)" in told
    assert list(tmp_path.iterdir()) == []


def test_it_takes_no_other_recipe(capsys):
    assert main(["demo", "other.toml"]) == 2
    assert "other.toml" in capsys.readouterr().err


def test_its_recipe_is_the_one_among_the_recipes():
    """Two files: a link would lead nowhere in the containers, which have the recipes alone."""
    assert RECIPE.read_text() == Path("recipes/demo.toml").read_text()
