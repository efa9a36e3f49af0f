"""The recipe that a run was begun with, perhaps by another version of this program.

A store outlives a version: settings that this one no longer has are named and left out; those that
it has and the other had not keep their defaults.
"""

import logging
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.recipes import struct_of

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
