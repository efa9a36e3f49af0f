"""Runs that differ from a run only in what their policies learn from."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rstar_async.config.layers import flattened, read_layers

OWN = "own solutions"
# Nothing is learnt from search, so it is kept short.
_DEMONSTRATIONS = (
    *("--policy.learn_from", "demonstrations", "--ppm.train", "false"),
    *("--search.rollouts", "1", "--evaluation.search", "false"),
)
_FEW = 20
# What a round says of its problems; the rest is about how they are searched.
_OF_PROBLEMS = ("problems", "skip", "levels")
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
    into.write_text("\n".join(_toml(with_little_search(read_layers(recipe)))))
    return into


def with_little_search(layer: Mapping[str, Any]) -> dict[str, Any]:
    """As many rounds, with a few problems each that are searched once.

    All generated problems are kept, since the held-out ones have to differ from them.
    """
    is_generated = layer.get("problems", {}).get("source", "generated") == "generated"
    rounds = [{k: round_[k] for k in _OF_PROBLEMS if k in round_} for round_ in layer["rounds"]]
    few = {} if is_generated else {"problems": _FEW}
    return {**layer, "rounds": [{**round_, **few} for round_ in rounds]}


def _toml(layer: Mapping[str, Any]) -> Iterator[str]:
    """JSON writes the values of a recipe as TOML does."""
    plain = flattened({key: value for key, value in layer.items() if key != "rounds"})
    yield from (f"{key} = {json.dumps(value)}" for key, value in plain.items())
    for round_ in layer["rounds"]:
        yield "[[rounds]]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in round_.items())
