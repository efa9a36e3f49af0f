"""Where each setting of a recipe comes from. Pure, but for reading the files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rstar_async.config import Recipe
from rstar_async.config.implied import implied_by
from rstar_async.config.layers import EXTENDS, flattened, merged, read_layers, unflattened
from rstar_async.config.loader import as_toml_values
from rstar_async.config.presets import PRESETS
from rstar_async.config.started_runs import layer_below

COMMAND_LINE = "command line"
STARTED_WITH = "the run, as it was started"


def origins(
    path: Path | None,
    overrides: Iterable[tuple[str, str]],
    started_with: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """By dotted name, for every setting that is not a default: what it was given by. The layers and
    their order are those of `config.loader.read_recipe`."""
    given = unflattened(dict(overrides))
    file = read_layers(path) if path else {}
    both = merged(file, given)
    preset = str(both.get("preset", ""))
    layers = [
        (f"preset {preset}", unflattened(PRESETS.get(preset, {}))),  # type: ignore[call-overload]
        ("follows from the model", implied_by(both)),
        (STARTED_WITH, layer_below(started_with) if started_with else {}),
        (str(path), file),
        (COMMAND_LINE, given),
    ]
    found: dict[str, str] = {}
    for name, layer in layers:
        found |= dict.fromkeys(flattened(layer), name)
    found.pop(EXTENDS, None)
    return found


def changed_settings(recipe: Recipe) -> dict[str, Any]:
    """The settings that differ from the defaults, by dotted name, with their values; without the
    database, whose URL may hold a password."""
    now, default = (flattened(as_toml_values(one)) for one in (recipe, Recipe()))
    changed = {key: value for key, value in now.items() if default.get(key) != value}
    changed.pop("database", None)
    return changed
