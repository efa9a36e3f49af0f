"""Runs that differ from a run only in what their policies learn from."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rstar_async.config import RoundConfig
from rstar_async.config.layers import flattened, read_layers
from rstar_async.config.loader import read_recipe

OWN = "own solutions"
# Nothing is learnt from search, so it is kept short.
_DEMONSTRATIONS = (
    *("--policy.learn_from", "demonstrations", "--ppm.train", "false"),
    *("--search.rollouts", "1", "--evaluation.search", "false"),
)
_FEW = 20
NAMES = ("demonstrations", "random")


def settings_of(control: str, own: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a control beside the run `own`, whose JSON document has the size of its
    trainings.

    demonstrations: as many rows of the bootstrap's, so as many steps. random: any right solution of
    a problem in place of the best one.
    """
    if control == "random":
        return ("--policy.pick", "random")
    rows = max(round_["rows"] or 0 for round_ in own["rounds"])
    return ("--policy.replay", str(rows), *_DEMONSTRATIONS)


def recipe_of(control: str, recipe: Path, into: Path) -> Path:
    """The recipe of a control: that of the run, or one of little search, written to `into`."""
    if control == "random":
        return recipe
    resolved = read_recipe(recipe)
    is_generated = resolved.problems.source == "generated"
    rounds = [_little_search(round_, is_generated) for round_ in resolved.rounds]
    into.write_text("\n".join(_toml({**read_layers(recipe), "rounds": rounds})))
    return into


def _little_search(of_run: RoundConfig, is_generated: bool) -> dict[str, Any]:
    """A round of a few problems that are searched once. All generated problems are kept, since the
    held-out ones have to differ from them."""
    count = of_run.problems if is_generated else _FEW
    return {"problems": count, "skip": of_run.skip, "levels": list(of_run.levels)}


def _toml(layer: Mapping[str, Any]) -> Iterator[str]:
    """JSON writes the values of a recipe as TOML does."""
    plain = flattened({key: value for key, value in layer.items() if key != "rounds"})
    yield from (f"{key} = {json.dumps(value)}" for key, value in plain.items())
    for round_ in layer["rounds"]:
        yield "[[rounds]]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in round_.items())
