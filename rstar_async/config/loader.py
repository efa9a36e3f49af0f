"""Reading recipes: from files and the command line, and as a run stored them.

Every mistake is one line of `BadInput` that names the setting.
"""

import datetime
import difflib
import logging
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from rstar_async.config.implied import implied_by
from rstar_async.config.layers import Layer, merged, parse_toml, read_layers, unflattened
from rstar_async.config.presets import PRESETS
from rstar_async.config.recipe import Recipe
from rstar_async.config.relations import contradictions
from rstar_async.config.schema import (
    known_settings,
    out_of_bounds,
    section_names,
    unreadable_texts,
)
from rstar_async.config.started_runs import layer_below, settings_of_started_run
from rstar_async.errors import BadInput
from rstar_async.sanitize import CHARACTERS_SHOWN, from_json, shown

log = logging.getLogger(__name__)

MESSAGE_CHARACTERS = 300  # a library quotes wrong values in full, and names the setting last


def read_recipe(
    path: Path | None,
    overrides: Iterable[tuple[str, str]] = (),
    started_with: Mapping[str, Any] | None = None,
) -> Recipe:
    """The recipe in `path` (defaults if None) with overrides such as ("search.rollouts", "16").

    Later layers win: defaults, preset, what the given settings imply, the stored recipe of a run
    that was `started_with` it, extended files, the file, overrides.
    """
    layer = read_layers(path) if path else {}
    below = layer_below(started_with) if started_with else {}
    return _resolve(layer, overrides, str(path or "the recipe"), below)


def changed(recipe: Recipe, overrides: Iterable[tuple[str, str]]) -> Recipe:
    """`recipe` with overrides such as ("search.rollouts", "16")."""
    return _resolve(as_toml_values(recipe), overrides, "the recipe")


def read_stored_recipe(path: Path) -> Recipe:
    """The recipe in the JSON file at `path`, which an older version may have written.

    Settings that no longer exist are logged and left out; newer ones have the value that describes
    what the older version did, or their default.
    """
    try:
        values = msgspec.convert(from_json(path.read_bytes()), dict[str, Any])
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadInput(f"cannot read {path}: {error}") from None
    known, removed = settings_of_started_run(values)
    recipe = _convert(known, f"cannot read {path}")
    if removed:
        names = ", ".join(sorted(set(removed)))
        log.warning("%s: this version has no setting %s; going on without", path, names)
    return recipe


def as_toml_values(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as plain values, for storing with a run."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return values


def _resolve(
    layer: Layer, overrides: Iterable[tuple[str, str]], where: str, below: Layer | None = None
) -> Recipe:
    given = merged(layer, _as_layer(overrides))
    _refuse_unknown(given, where)
    underneath = merged(merged(_preset_of(given), implied_by(given)), below or {})
    recipe = _convert(merged(underneath, given), where)
    if contradiction := next(contradictions(recipe), None):
        raise BadInput(f"{where}: {contradiction}")
    return recipe


def _convert(values: Mapping[str, Any], where: str) -> Recipe:
    faults = chain(unreadable_texts(values), out_of_bounds(values))
    if fault := next(faults, None):
        raise BadInput(f"{where}: {fault}")
    try:
        return msgspec.convert(values, Recipe)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {str(error)[-MESSAGE_CHARACTERS:]}") from None


def _preset_of(given: Layer) -> Layer:
    """The layer below the recipe; a name that is no preset is refused by its type, later."""
    name = given.get("preset", "")
    return unflattened(PRESETS[name]) if isinstance(name, str) and name in PRESETS else {}


def _as_layer(overrides: Iterable[tuple[str, str]]) -> Layer:
    values = {key: _toml_value(value) for key, value in overrides}
    if of_rounds := next((key for key in values if key.startswith("rounds.")), None):
        raise BadInput(
            f"{shown(of_rounds)}: rounds are set in a recipe ([[rounds]]), not by options"
        )
    return unflattened(values)


def _toml_value(text: str) -> Any:
    """A number, boolean or list as TOML writes it; anything else is a string, also what TOML would
    take for a time of day."""
    try:
        values = parse_toml(f"v = {text}")
    except ValueError:  # no TOML, or a number of thousands of digits
        return text
    is_time = isinstance(values["v"], datetime.date | datetime.time)
    return values["v"] if len(values) == 1 and not is_time else text


def _refuse_unknown(given: Layer, where: str) -> None:
    _, unknown = known_settings(given)
    if unknown:
        raise BadInput(f"{where}: unknown key {shown(unknown[0])}; {_suggestion(unknown[0])}")


def _suggestion(name: str) -> str:
    """The nearest setting of the same section, or all of them."""
    section, dot, key = name.rpartition(".")
    known = section_names(section + dot)
    close = difflib.get_close_matches(key[:CHARACTERS_SHOWN], known, n=1, cutoff=0.5)
    return (
        f"did you mean {section + dot + close[0]!r}?" if close else f"known are {', '.join(known)}"
    )
