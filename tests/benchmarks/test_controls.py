"""The control's recipe: all of the run's but its search."""

from benchmarks.self_evolution.controls import recipe_of
from rstar_async.config.loader import read_recipe

RECIPE = """
name = "own"
[model]
base = "a model"
[problems]
source = "problems.jsonl"
heldout_levels = [1, 2]
[policy]
learning_rate = 1e-4
[[rounds]]
problems = 400
levels = [1, 2]
unsolved_rollouts = [12]
[[rounds]]
problems = 300
skip = 400
guidance = "ppm"
"""


def control_of(folder, recipe):
    (folder / "own.toml").write_text(recipe)
    written = recipe_of("demonstrations", folder / "own.toml", folder / "control.toml")
    return read_recipe(folder / "own.toml"), read_recipe(written)


def test_the_control_searches_a_few_problems_of_a_file_once(tmp_path):
    own, control = control_of(tmp_path, RECIPE)
    assert [(r.problems, r.skip) for r in control.rounds] == [(20, 0), (20, 400)]
    assert not any(r.unsolved_rollouts for r in control.rounds)
    assert {r.guidance for r in control.rounds} == {"terminal"}
    for section in ("model", "problems", "policy"):
        assert getattr(control, section) == getattr(own, section)


def test_generated_problems_stay_those_of_the_run(tmp_path):
    generated = RECIPE.replace("problems.jsonl", "generated").replace("skip = 400", "")
    own, control = control_of(tmp_path, generated)
    asked = [(r.problems, r.levels) for r in control.rounds]
    assert asked == [(r.problems, r.levels) for r in own.rounds]


def test_rounds_of_a_preset_are_those_of_the_control(tmp_path):
    own, control = control_of(tmp_path, 'preset = "paper"\n[problems]\nsource = "p.jsonl"\n')
    assert len(control.rounds) == len(own.rounds) > 1
    assert not any(r.unsolved_rollouts for r in control.rounds)


def test_random_solutions_come_of_the_same_search(tmp_path):
    (tmp_path / "own.toml").write_text(RECIPE)
    assert recipe_of("random", tmp_path / "own.toml", tmp_path / "x") == tmp_path / "own.toml"
    assert not (tmp_path / "x").exists()
