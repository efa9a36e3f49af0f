"""Which settings a recipe has and what each number may be, read from its types. Pure.

Values are trees of plain dicts and lists, as TOML and JSON give them.
"""

import reprlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec.inspect import (
    FloatType,
    IntType,
    NoneType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from rstar_async.config.recipe import Recipe
from rstar_async.sanitize import shown, without_surrogates

Number = IntType | FloatType


def known_settings(
    values: Mapping[str, Any], section: type[msgspec.Struct] = Recipe, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """The part of `values` that `section` has settings for, and the dotted names of the rest."""
    fields = fields_of(section)
    known: dict[str, Any] = {}
    unknown: list[str] = []
    for name, value in values.items():
        if name in fields:
            known[name], inner = _known(value, fields[name], f"{prefix}{name}.")
            unknown += inner
        else:
            unknown.append(prefix + name)
    return known, unknown


def section_names(prefix: str) -> list[str]:
    """The names of settings and sections right below `prefix`, such as "search."."""
    section: type[msgspec.Struct] = Recipe
    for part in prefix.split(".")[:-1]:
        found = _section_in(fields_of(section)[part])
        assert found is not None
        section = found
    return sorted(fields_of(section))


def out_of_bounds(
    values: Mapping[str, Any], section: type[msgspec.Struct] = Recipe, prefix: str = ""
) -> Iterator[str]:
    """A line for each number outside its bounds: its dotted name, its value and the bounds."""
    fields = fields_of(section)
    for name, value in values.items():
        if name in fields:
            yield from _faults(prefix + name, value, fields[name])


def unreadable_texts(values: Any, name: str = "") -> Iterator[str]:
    """A line for each text that no file or process could be given: with NUL or half a character."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from unreadable_texts(key, name)
            yield from unreadable_texts(value, f"{name}.{key}" if name else str(key))
    elif isinstance(values, list | tuple):
        for number, item in enumerate(values, start=1):
            yield from unreadable_texts(item, f"{name}[{number}]")
    elif isinstance(values, str) and ("\0" in values or without_surrogates(values) != values):
        yield f"{name or 'a key'} is {shown(values)}, which is not UTF-8 text without NUL"


@cache
def fields_of(section: type[msgspec.Struct]) -> Mapping[str, Type]:
    """The types of a section's settings; `X | None` is given as X."""
    described = type_info(section)
    assert isinstance(described, StructType)
    return {field.name: _without_none(field.type) for field in described.fields}


def bounds_of(number: Number) -> str:
    """In words: "from 1 to 1,000,000"."""
    lower = f"from {_shown(number.ge)}" if number.ge is not None else f"above {_shown(number.gt)}"
    if number.lt is not None:
        return f"{lower} to below {_shown(number.lt)}"
    joint = "to" if number.ge is not None else "and at most"
    return f"{lower} {joint} {_shown(number.le)}"


def _known(value: Any, kind: Type, prefix: str) -> tuple[Any, list[str]]:
    section = _section_in(kind)
    if section is None:
        return value, []
    if isinstance(value, list):
        parts = [_known(item, kind, prefix) for item in value]
        return [part for part, _ in parts], [name for _, names in parts for name in names]
    return known_settings(value, section, prefix) if isinstance(value, Mapping) else (value, [])


def _section_in(kind: Type) -> type[msgspec.Struct] | None:
    """The section X in the type X or `tuple[X, ...]`, if there is one."""
    inner = kind.item_type if isinstance(kind, VarTupleType) else kind
    return inner.cls if isinstance(inner, StructType) else None


def _without_none(kind: Type) -> Type:
    types = kind.types if isinstance(kind, UnionType) else (kind,)
    others = [one for one in types if not isinstance(one, NoneType)]
    return others[0] if len(others) == 1 else kind


def _faults(name: str, value: Any, kind: Type) -> Iterator[str]:
    if isinstance(kind, StructType) and isinstance(value, Mapping):
        yield from out_of_bounds(value, kind.cls, f"{name}.")
    elif isinstance(kind, VarTupleType) and isinstance(value, list | tuple):
        if len(value) < (kind.min_length or 0):
            yield f"{name} is empty, but needs at least {kind.min_length}"
        for number, item in enumerate(value, start=1):
            yield from _faults(f"{name}[{number}]", item, kind.item_type)
    elif isinstance(kind, UnionType) and _is_number(value):
        for one in kind.types:
            yield from _faults(name, value, one)
    elif isinstance(kind, Number) and _is_number(value) and not _is_within(value, kind):
        yield f"{name} is {reprlib.repr(value)}, but must be {bounds_of(kind)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_within(value: float, number: Number) -> bool:
    """False for NaN, which no comparison holds for."""
    above = (number.ge is None or value >= number.ge) and (number.gt is None or value > number.gt)
    below = (number.le is None or value <= number.le) and (number.lt is None or value < number.lt)
    return above and below


def _shown(bound: float | None) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:,.10g}"
