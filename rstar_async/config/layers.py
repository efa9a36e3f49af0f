"""Settings in layers: a preset, the file that a recipe extends, the recipe, the command line.

A layer is a tree as TOML gives it. A later layer wins, key by key. Only the `rounds` of a file are
appended to those of the file it extends, so that a run can be extended round by round.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown

Layer: TypeAlias = dict[str, Any]

EXTENDS = "extends"
ROUNDS = "rounds"


def read_layers(path: Path) -> Layer:
    """The file at `path` over the files it extends; `BadInput` names one that cannot be read."""
    files = [path]
    layer = _read_toml(path)
    while (extended := layer.pop(EXTENDS, None)) is not None:
        parent = files[-1].parent / str(extended)
        if parent in files:
            raise BadInput(f"{files[-1]}: it extends {parent}, which extends it")
        files.append(parent)
        layer = _extend(_read_toml(parent), layer)
    return layer


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Layer:
    """Both layers, section by section; where both have a key, `over` wins."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        are_sections = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if are_sections else value  # type: ignore[arg-type]
    return result


def unflattened(flat: Mapping[str, Any]) -> Layer:
    """{"search.rollouts": 16} as {"search": {"rollouts": 16}}.

    `BadInput` names a key that is given a value and keys below it as well.
    """
    layer: Layer = {}
    for key, value in flat.items():
        *sections, last = key.split(".")
        inner = layer
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                raise BadInput(f"{shown(key)} and a part of it are both given a value")
        if isinstance(inner.get(last), dict):
            raise BadInput(f"{shown(key)} is given a value, and so is what is below it")
        inner[last] = value
    return layer


def flattened(layer: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"search": {"rollouts": 16}} as {"search.rollouts": 16}."""
    flat: dict[str, Any] = {}
    for key, value in layer.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _extend(under: Layer, over: Layer) -> Layer:
    result = merged(under, over)
    if isinstance(under.get(ROUNDS), list) and isinstance(over.get(ROUNDS), list):
        result[ROUNDS] = [*under[ROUNDS], *over[ROUNDS]]
    return result


def parse_toml(text: str) -> Layer:
    """The values in a TOML text; `ValueError` says why there are none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _read_toml(path: Path) -> Layer:
    try:
        return parse_toml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput(f"there is no recipe {path}; `ls recipes` lists ours") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
