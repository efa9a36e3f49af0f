from pathlib import Path

import msgspec
import pytest

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values, read_recipe
from rstar_async.errors import BadInput

RECIPES = sorted(Path("recipes").rglob("*.toml"))


def message(text: str, tmp_path: Path) -> str:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_recipe(path)
    return str(caught.value)


@pytest.mark.parametrize("path", RECIPES, ids=str)
def test_every_shipped_recipe_reads_and_survives_json(path):
    recipe = read_recipe(path)
    assert msgspec.convert(as_toml_values(recipe), Recipe) == recipe


def test_an_unknown_key_is_named_with_the_nearest_right_one(tmp_path):
    said = message("[search]\nrolouts = 3\n", tmp_path)
    assert "unknown key 'search.rolouts'" in said
    assert "did you mean 'search.rollouts'" in said


def test_an_unknown_key_inside_a_round_is_found(tmp_path):
    assert "rounds.guidanse" in message('[[rounds]]\nguidanse = "ppm"\n', tmp_path)


def test_8_bits_are_refused_for_engines_of_other_programs(tmp_path):
    text = '[model]\ndtype = "int8"\n[workers]\nengine = "sglang"\n'
    assert "int8, which the engine sglang does not compute in" in message(text, tmp_path)


def test_a_wrong_type_is_named(tmp_path):
    assert "search.rollouts" in message('[search]\nrollouts = "many"\n', tmp_path)


def test_a_first_round_with_a_ppm_is_refused(tmp_path):
    assert "there is none yet" in message('[[rounds]]\nguidance = "ppm"\n', tmp_path)
    rounds = '[[rounds]]\n[[rounds]]\nguidance = "ppm"\n'
    said = message(f"{rounds}[ppm]\nfirst_round = 2\n", tmp_path)
    assert "round 2 cannot be guided by a PPM: ppm.first_round is 2" in said


def test_a_missing_recipe_is_named():
    with pytest.raises(BadInput, match=r"no recipe nowhere\.toml"):
        read_recipe(Path("nowhere.toml"))


def test_overrides_win_over_the_file(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("[search]\nrollouts = 3\n")
    recipe = read_recipe(path, [("search.rollouts", "5"), ("name", "mine")])
    assert (recipe.search.rollouts, recipe.name) == (5, "mine")


def test_a_time_limit_on_the_command_line_is_text():
    for text in ("12:00:00", "2026-01-02"):
        assert read_recipe(None, [("slurm.time", text)]).slurm.time == text


def test_a_round_overrides_the_search_settings():
    recipe = msgspec.convert({"rounds": [{"rollouts": 2}, {}]}, Recipe)
    assert recipe.search_of_round(1).rollouts == 2
    assert recipe.search_of_round(2).rollouts == recipe.search.rollouts


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ("[]", "problems.heldout_levels is empty, but needs at least 1"),
        ("[0, 1]", "problems.heldout_levels[1] is 0, but must be from 1 to 6"),
        ("[1, 7]", "problems.heldout_levels[2] is 7, but must be from 1 to 6"),
    ],
)
def test_levels_that_no_problem_has_are_refused(tmp_path, levels, reason):
    assert reason in message(f"[problems]\nheldout_levels = {levels}\n", tmp_path)


def test_rounds_of_generated_problems_skip_none(tmp_path):
    reason = "skip of round 2 is for files; generated problems differ by round"
    rounds = "[[rounds]]\n[[rounds]]\nskip = 5\n"
    assert reason in message(f'[problems]\nsource = "generated"\n{rounds}', tmp_path)


def test_several_coordinators_need_postgresql(tmp_path):
    several = "[workers]\ncoordinators = 2\n"
    assert "workers.coordinators is 2" in message(several, tmp_path)
    (tmp_path / "r.toml").write_text(f'database = "postgresql://host/runs"\n{several}')
    assert read_recipe(tmp_path / "r.toml").workers.coordinators == 2


def test_one_coordinator_alone_hands_a_gpu_over(tmp_path):
    """A store's lock does not hold back what one that was paused asks of a server."""
    several = 'database = "postgresql://host/runs"\n[workers]\ncoordinators = 2\n'
    assert "sglang.share_device" in message(f"{several}[sglang]\nshare_device = true\n", tmp_path)


def test_early_stopping_needs_heldout_problems(tmp_path):
    patient = "[ppm]\npatience = 3\nheldout_share = 0.0\n"
    assert "ppm.patience needs held-out problems" in message(patient, tmp_path)


def test_a_run_that_trains_a_ppm_needs_a_reward_worker(tmp_path):
    assert "workers.reward is 0" in message("[workers]\nreward = 0\n", tmp_path)
    (tmp_path / "r.toml").write_text("[workers]\nreward = 0\n[ppm]\ntrain = false\n")
    assert read_recipe(tmp_path / "r.toml").workers.reward == 0
