"""Values in the columns of foreign rows, each of one type. Pure.

A text column holds text or a number; nothing else is turned into text. A list of one is its item.
A name may reach into objects, `reward_model.ground_truth`, or join columns: `Body + Question`. A
column of that very name wins.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rstar_async.errors import BadInput
from rstar_async.sanitize import listed, shown, without_surrogates

MOST_CHARACTERS = 1_000_000
JOIN = "+"
_MISSING = object()


def required_column(
    row: Mapping[str, Any], name: str, where: str, *, most: int = MOST_CHARACTERS
) -> str:
    """The text or number in a column, of at most `most` characters and without blanks around it;
    those of joined columns with a blank between them.

    `BadInput` starts with `where` and says what is wrong with the column: it is missing, null, NaN,
    empty, too long, or of another type.
    """
    if JOIN in name and name not in row:
        parts = (required_column(row, part.strip(), where, most=most) for part in name.split(JOIN))
        return _short_enough(" ".join(parts), name, where, most)
    value = value_in(row, name)
    if value is _MISSING:
        raise BadInput(
            f"{where}: no column {shown(name)}; it has {listed(row)} "
            "(map columns with problems.question and problems.answer)"
        )
    return text_of(value, name, where, most=most).strip()


def label_column(row: Mapping[str, Any], name: str) -> str:
    """The text or number in a column that only describes a row; "" for anything else."""
    try:
        return text_of(value_in(row, name), name, "").strip()
    except BadInput:
        return ""


def value_in(row: Mapping[str, Any], name: str) -> Any:
    """What the row has under a plain or a dotted name; `_MISSING` if there is no such column."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        value = _only_item(value)
        if not isinstance(value, Mapping) or part not in value:
            return _MISSING
        value = value[part]
    return value


def text_of(value: Any, name: str, where: str, *, most: int = MOST_CHARACTERS) -> str:
    """A value as text; `BadInput` unless it is a text or a number. Lone surrogates are replaced."""
    value = _only_item(value)
    if isinstance(value, str):
        text = without_surrogates(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise BadInput(f"{where}: column {shown(name)} is {value}, not a number")
        text = str(value)
    else:
        raise BadInput(f"{where}: column {shown(name)} {_complaint(value, name)}")
    if not text.strip():
        raise BadInput(f"{where}: column {shown(name)} is empty")
    return _short_enough(text, name, where, most)


def _short_enough(text: str, name: str, where: str, most: int) -> str:
    if len(text) > most:
        raise BadInput(
            f"{where}: column {shown(name)} has {len(text):,} characters, more than {most:,}"
        )
    return text


def _only_item(value: Any) -> Any:
    """The item of a list of one, however often it is wrapped."""
    while isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    return value


def _complaint(value: Any, name: str) -> str:
    if value is None:
        return "is empty"
    if isinstance(value, list | tuple):
        return f"is a list of {len(value)}, but must be one text or number" if value else "is empty"
    if isinstance(value, Mapping):
        key = "content" if "content" in value else next(iter(value), "KEY")
        inner = shown(f"{name}.{key}")
        return f"is an object with {listed(value)}; name what is in it, such as {inner}"
    if isinstance(value, bool):
        return f"is {str(value).lower()}, but must be a text or a number"
    return f"is of type {type(value).__name__}, but must be a text or a number"
