"""Reading files of answer pairs; every error names the file and the entry or line."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rstar_async.errors import BadInput
from rstar_async.sanitize import encodable, from_json

_GOLD = ("gold",)
_PREDICTED = ("pred", "predicted")
_LABEL = ("equal", "label")
_SOURCE = ("src", "source")


class Pair(NamedTuple):
    gold: str
    predicted: str
    equal: bool | None
    source: str


def read_pairs(path: Path) -> list[Pair]:
    """All pairs of a JSON list or of JSON lines, in order."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    return [_pair(entry, f"{path}: {place}") for place, entry in _entries(path, text)]


def _entries(path: Path, text: str) -> Iterator[tuple[str, object]]:
    if text.lstrip().startswith("["):
        loaded = _loaded(text, str(path))
        if not isinstance(loaded, list):
            raise BadInput(f"{path}: a list of {{gold, pred, equal?}} is expected")
        yield from ((f"entry {index}", entry) for index, entry in enumerate(loaded))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _loaded(line, f"{path}: line {number}")


def _loaded(text: str, place: str) -> object:
    try:
        return encodable(from_json(text))
    except ValueError as error:
        raise BadInput(f"{place}: {error}") from error
    except RecursionError:
        raise BadInput(f"{place}: not JSON that can be read: it is nested too deep") from None


def _pair(entry: object, place: str) -> Pair:
    if not isinstance(entry, dict):
        raise BadInput(f"{place}: an object with gold and pred is expected, not {entry!r:.40}")
    gold, predicted = _answer(entry, _GOLD, place), _answer(entry, _PREDICTED, place)
    label, source = _first(entry, _LABEL), _first(entry, _SOURCE)
    if label is not None and not isinstance(label, bool):
        raise BadInput(f"{place}: equal must be true or false, not {label!r:.40}")
    return Pair(gold, predicted, label, "" if source is None else str(source))


def _answer(entry: dict[str, object], names: tuple[str, ...], place: str) -> str:
    """A string, or a number as text; a missing answer is an error, an empty one is not."""
    value = _first(entry, names)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    raise BadInput(f"{place}: {names[0]} must be a string, not {value!r:.40}")


def _first(entry: dict[str, object], names: tuple[str, ...]) -> object:
    return next((entry[name] for name in names if name in entry), None)
