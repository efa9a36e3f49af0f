"""Reading a recipe: all its layers made one; every mistake is named with its remedy."""

import difflib
import logging
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from rstar_async.config import Recipe, RoundConfig
from rstar_async.config.layers import Layer, merged, read_layers, unflattened
from rstar_async.config.presets import PRESETS
from rstar_async.errors import BadInput


def read_recipe(path: Path | None, overrides: Iterable[tuple[str, str]] = ()) -> Recipe:
    """The recipe in `path` (defaults if None) with overrides such as ("search.rollouts", "16").

    Later layers win: defaults, preset, extended files, the file, overrides.
    """
    return _recipe(read_layers(path) if path else {}, overrides, str(path or "the recipe"))


def changed(recipe: Recipe, overrides: Iterable[tuple[str, str]]) -> Recipe:
    """`recipe` with overrides such as ("search.rollouts", "16")."""
    return _recipe(as_toml_values(recipe), overrides, "the recipe")


def _recipe(layer: Layer, overrides: Iterable[tuple[str, str]], where: str) -> Recipe:
    given = merged(layer, _as_layer(overrides))
    _check_keys(given, Recipe, where, "")
    try:
        recipe = msgspec.convert(merged(_preset_of(given), given), Recipe)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {error}") from None
    _check_sense(recipe, where)
    return recipe


def as_toml_values(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as plain values, for storing with a run."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return values


def _preset_of(given: Layer) -> Layer:
    """The layer below the recipe; a name that is no preset is refused by its type, later."""
    name = given.get("preset", "")
    return unflattened(PRESETS[name]) if name in PRESETS else {}


def _as_layer(overrides: Iterable[tuple[str, str]]) -> Layer:
    return unflattened({key: _toml_value(value) for key, value in overrides})


def _toml_value(text: str) -> Any:
    """A number, boolean or list as TOML writes it; anything else is a string."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _check_keys(tree: Any, expected: Any, where: str, prefix: str) -> None:
    """Walk sections along the struct types; the message offers the nearest right key."""
    struct = struct_of(expected)
    if struct is None:
        return
    if isinstance(tree, list):
        for item in tree:
            _check_keys(item, struct, where, prefix)
        return
    if not isinstance(tree, Mapping):
        return
    fields = typing.get_type_hints(struct)
    for key, value in tree.items():
        if key not in fields:
            raise BadInput(f"{where}: unknown key {prefix + key!r}{_suggest(key, fields, prefix)}")
        _check_keys(value, fields[key], where, f"{prefix}{key}.")


def struct_of(annotation: Any) -> type[msgspec.Struct] | None:
    """The struct inside `X`, `tuple[X, ...]` or `X | None`, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    if typing.get_origin(annotation) in (tuple, typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            if (struct := struct_of(argument)) is not None:
                return struct
    return None


def _suggest(key: str, known: Iterable[str], prefix: str) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return (
        f"; did you mean {prefix + close[0]!r}?"
        if close
        else f"; known are {', '.join(sorted(known))}"
    )


LEVELS = range(1, 7)
_SHARES: Mapping[str, Callable[[Recipe], float]] = {
    "bounds.confidence": lambda recipe: recipe.bounds.confidence,
    "filters.min_accuracy": lambda recipe: recipe.filters.min_accuracy,
    "ppm.heldout_share": lambda recipe: recipe.ppm.heldout_share,
}


def _check_sense(recipe: Recipe, where: str) -> None:
    """Refuse values that are of the right type and still cannot work."""
    positive = {
        "search.rollouts": recipe.search.rollouts,
        "search.candidates": recipe.search.candidates,
        "search.max_depth": recipe.search.max_depth,
        "search.max_tokens": recipe.search.max_tokens,
        "search.in_flight": recipe.search.in_flight,
        "search.parallel": recipe.search.parallel,
        "search.ppm_scale": recipe.search.ppm_scale,
        "evaluation.samples": recipe.evaluation.samples,
        "policy.micro_batch": recipe.policy.micro_batch,
        "policy.batch_size": recipe.policy.batch_size,
        "ppm.batch_trees": recipe.ppm.batch_trees,
        "ppm.max_tokens": recipe.ppm.max_tokens,
        "training.processes": recipe.training.processes,
        "policy.trajectories_per_problem": recipe.policy.trajectories_per_problem,
        "workers.executor": recipe.workers.executor,
        "workers.inference": recipe.workers.inference,
    }
    for key, value in positive.items():
        if value <= 0:
            raise BadInput(f"{where}: {key} is {value}, but must be above 0")
    for key, share in _SHARES.items():
        if not 0 <= (value := share(recipe)) < 1:
            raise BadInput(f"{where}: {key} is {value}, but must be from 0 to below 1")
    if recipe.bootstrap.model and recipe.bootstrap.kind != "few_shot":
        raise BadInput(f"{where}: bootstrap.model is prompted, so bootstrap.kind must be few_shot")
    _check_levels(where, "bootstrap.levels", recipe.bootstrap.levels)
    _check_levels(where, "problems.heldout_levels", recipe.problems.heldout_levels)
    if not recipe.rounds:
        raise BadInput(f"{where}: give at least one [[rounds]]")
    if recipe.rounds[0].guidance == "ppm":
        raise BadInput(f"{where}: round 1 cannot be guided by a PPM, there is none yet")
    for number, round_ in enumerate(recipe.rounds, start=1):
        _check_round(recipe, number, round_, where)


def _check_round(recipe: Recipe, number: int, round_: RoundConfig, where: str) -> None:
    totals = [recipe.search_of_round(number).rollouts, *round_.unsolved_rollouts]
    if any(earlier >= later for earlier, later in pairwise(totals)):
        raise BadInput(
            f"{where}: round {number} goes from {' to '.join(map(str, totals))} rollouts, but "
            "rounds.unsolved_rollouts are totals, each above the one before"
        )
    if round_.levels:
        _check_levels(where, f"round {number}, levels", round_.levels)
    if round_.seeds < 1:
        raise BadInput(f"{where}: round {number} has seeds = {round_.seeds}, but needs at least 1")


def _check_levels(where: str, key: str, levels: Sequence[int]) -> None:
    """Of generated problems: beyond the highest hardly one stays within its numbers."""
    if not levels or not set(levels) <= set(LEVELS):
        given = list(levels)
        raise BadInput(f"{where}: {key} is {given}, but needs one or more of 1 to {LEVELS[-1]}")


log = logging.getLogger(__name__)


def read_stored_recipe(path: Path) -> Recipe:
    """The recipe in the JSON file at `path`; `BadInput` if it cannot be one of any version."""
    try:
        values = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        known, removed = known_settings(values)
        recipe = msgspec.convert(known, Recipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"cannot read {path}: {error}") from None
    if removed:
        names = ", ".join(sorted(set(removed)))
        log.warning("%s: this version has no setting %s; going on without", path, names)
    return recipe


def known_settings(
    values: Mapping[str, Any], struct: Any = Recipe, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """What `struct` has of `values`, and the dotted names of what it has not. Pure."""
    types = typing.get_type_hints(struct)
    known: dict[str, Any] = {}
    removed = [prefix + name for name in values if name not in types]
    for name in values.keys() & types.keys():
        known[name], unknown = _known(values[name], types[name], f"{prefix}{name}.")
        removed += unknown
    return known, removed


def _known(value: Any, expected: Any, prefix: str) -> tuple[Any, list[str]]:
    section = struct_of(expected)
    if section is None:
        return value, []
    if isinstance(value, list):
        parts = [_known(item, section, prefix) for item in value]
        return [part for part, _ in parts], [name for _, names in parts for name in names]
    if not isinstance(value, Mapping):
        return value, []
    return known_settings(value, section, prefix)
