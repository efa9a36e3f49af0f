import json
from pathlib import Path

import pytest

from rstar_async.cli.main import main
from rstar_async.config import Recipe
from rstar_async.config.layers import flattened
from rstar_async.config.loader import as_toml_values, read_recipe
from rstar_async.config.presets import PRESETS, ByRound, differences, preset_recipe
from rstar_async.errors import BadInput

PAPER_ROUNDS = [Path(f"recipes/paper/round{number}.toml") for number in (1, 2, 3, 4)]


def test_a_preset_is_below_the_file_which_is_below_the_command_line(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('preset = "paper"\n[ppm]\nepochs = 3.0\n')
    recipe = read_recipe(path, [("policy.max_length", "1024")])
    assert recipe.search.ppm_scale == 1.0
    assert recipe.ppm.epochs == 3.0
    assert recipe.policy.max_length == 1024


def test_the_command_line_may_choose_another_preset_than_the_file(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('preset = "paper"\n')
    assert read_recipe(path, [("preset", "reference")]).ppm.min_margin == 0.5


def test_a_preset_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="papr"):
        read_recipe(None, [("preset", "papr")])


@pytest.mark.parametrize("name", [name for name in PRESETS if name])
def test_every_key_of_a_preset_is_a_setting(name):
    known = flattened(as_toml_values(Recipe()))
    assert PRESETS[name].keys() <= known.keys()


def test_both_presets_settle_the_same_questions():
    """Otherwise one of them would silently follow our defaults where the other does not."""
    left_open_by_the_paper = {
        "search.temperature", "execution.wall_seconds", "execution.cpu_seconds",
        "policy.distinct", "policy.drop_errors",
    }  # fmt: skip
    assert PRESETS["reference"].keys() - PRESETS["paper"].keys() == left_open_by_the_paper
    assert PRESETS["paper"].keys() <= PRESETS["reference"].keys()


def test_the_rounds_of_the_paper_recipes_are_those_of_the_preset():
    wanted = preset_recipe("paper")
    for number, path in enumerate(PAPER_ROUNDS, start=1):
        recipe = read_recipe(path)
        assert len(recipe.rounds) == number
        for round_ in range(1, number + 1):
            assert (
                recipe.search_of_round(round_).rollouts == wanted.search_of_round(round_).rollouts
            )
            assert (
                recipe.search_of_round(round_).candidates
                == wanted.search_of_round(round_).candidates
            )
            for name in ("guidance", "unsolved_rollouts", "seeds"):
                both = [getattr(of.rounds[round_ - 1], name) for of in (recipe, wanted)]
                assert both[0] == both[1]


def test_the_table_has_what_differs_and_nothing_else():
    rows = dict(differences({name: preset_recipe(name) for name in ("paper", "reference")}))
    assert rows["search.unvisited"] == {"paper": "infinity", "reference": "zero"}
    assert rows["rounds.rollouts"] == {"paper": ByRound((8, 16, 16, 16)), "reference": 48}
    assert "search.exploration" not in rows
    assert "preset" not in rows
    assert differences({"one": Recipe(), "other": Recipe()}) == []


def test_the_verb_prints_every_difference(capsys):
    assert main(["presets", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["ppm.min_edit_distance"] == {"paper": 0, "reference": 20, "defaults": 0}
    assert main(["presets", "recipes/demo.toml", "--search.rollouts", "7"]) == 0
    printed = capsys.readouterr().out
    assert "demo" in printed
    assert "rounds.rollouts" in printed
