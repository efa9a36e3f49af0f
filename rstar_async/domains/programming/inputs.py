"""Inputs on which programs are compared, as calls in the form of `inside.values`. Pure.

They are made from the examples that the description shows, or without any from a fixed set of
values; never from hidden tests.
"""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

MOST_INPUTS = 24
_ATTEMPTS = 10 * MOST_INPUTS
# What functions take, where nothing shows what this one takes.
_COMMON: Sequence[Any] = (
    *(0, 1, 2, 7, -3, 10, 2.5, "", "a", "hello", "Hello World", "abcba", "1 2 3"),
    *([], [1], [3, 1, 2], [-1, 0, 5, 5], ["b", "a"], [[1, 2], [3]], {"tuple": [4, 6, 1]}),
    *([2.5, -1.0], {"dict": [["a", 1], ["b", 2]]}, True),
)


def varied(calls: Sequence[str], seed: int) -> list[Any]:
    """Lists of arguments: those of `calls`, then variations of them, each different."""
    shown = [form for form in map(_arguments, calls) if form is not None]
    return _distinct(shown, _variations(shown, random.Random(seed)))


def common(count: int, seed: int) -> list[Any]:
    """Lists of `count` arguments of common types."""
    draws = random.Random(seed)
    alike = ([value] * count for value in _COMMON) if count > 1 else iter(())
    single = ([value] for value in _COMMON) if count == 1 else iter(())
    drawn = (draws.choices(_COMMON, k=count) for _ in range(_ATTEMPTS))
    return _distinct([*single, *islice(alike, 6)], drawn)


def call_of(function: str, arguments: Any) -> str:
    """A call as its text."""
    return json.dumps([function, arguments, {"dict": []}])


def _arguments(call: str) -> list[Any] | None:
    _, arguments, named = json.loads(call)
    return arguments if named == {"dict": []} and "expression" not in call else None


def _distinct(first: Sequence[Any], more: Iterator[Any]) -> list[Any]:
    found = {json.dumps(form): form for form in first[:MOST_INPUTS]}
    for form in islice(more, _ATTEMPTS):
        if len(found) >= MOST_INPUTS:
            break
        found.setdefault(json.dumps(form), form)
    return list(found.values())


def _variations(shown: Sequence[Any], draws: random.Random) -> Iterator[Any]:
    while shown:
        yield [_varied(form, draws) for form in draws.choice(shown)]


def _varied(form: Any, draws: random.Random) -> Any:
    """A value of the same type that is a little different."""
    if isinstance(form, bool) or form is None:
        return form if form is None else draws.random() < 0.5
    if isinstance(form, int):
        return draws.choice((form, form + 1, form - 1, 2 * form, 0, -form, form + 10))
    if isinstance(form, float):
        return draws.choice((form, -form, form / 2, form + 1.0, 0.0))
    if isinstance(form, str):
        return draws.choice((form, form[::-1], form + form, form[1:], form.upper(), ""))
    if isinstance(form, list):
        return _varied_items(form, draws)
    [(kind, content)] = form.items()
    return {kind: _varied_items(content, draws)} if kind == "tuple" else form


def _varied_items(items: list[Any], draws: random.Random) -> list[Any]:
    each = [_varied(item, draws) for item in items] if draws.random() < 0.5 else list(items)
    return draws.choice(
        (each, each[::-1], each[1:], each + each[:2], draws.sample(each, len(each)))
    )
