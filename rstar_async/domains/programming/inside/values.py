"""Values as JSON, each with its exact type: what passes between a program and its tests.

Only plain values have a form. An instance of a program's own class has none, so it can bring no
comparison of its own to the tests; one of a subclass of a plain type becomes that plain type.

JSON's null, booleans, numbers and texts stand for themselves, lists for lists. All else is an
object of one item, whose key is the kind of value: {"tuple": [1, 2]}.
"""

import builtins
import datetime
import decimal
import fractions
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

MOST_ITEMS = 20_000
MOST_CHARACTERS = 60_000


class NotPlain(Exception):
    """A value without a form; the message says which."""


class Expression:
    """An expression that only the program can evaluate, such as an instance of one of its classes.

    Tests pass it as an argument; they cannot look into it.
    """

    def __init__(self, text: str) -> None:
        self.__text = text

    def __call__(self, *args: Any, **named: Any) -> "Expression":
        words = [*map(repr, args), *(f"{name}={value!r}" for name, value in named.items())]
        return Expression(f"{self.__text}({', '.join(words)})")

    def __getattr__(self, name: str) -> "Expression":
        if name.startswith("__"):
            raise AttributeError(name)
        return Expression(f"{self.__text}.{name}")

    def __repr__(self) -> str:
        return self.__text

    def __eq__(self, other: object) -> bool:
        raise NotPlain(f"{self.__text}, which is in the program, where tests cannot compare it")

    __hash__ = None  # type: ignore[assignment]


def dumps(value: Any) -> str:
    """A value as one line of ASCII; raises NotPlain."""
    try:
        text = json.dumps(_Encoder().encode(value))
    except RecursionError:
        raise NotPlain("a value nested too deep") from None
    if len(text) > MOST_CHARACTERS:
        raise NotPlain(f"a value of more than {MOST_CHARACTERS:,} characters")
    return text


def loads(text: str, names: dict[str, Any] | None = None) -> Any:
    """The inverse of `dumps`; raises NotPlain for what `dumps` never writes.

    Expressions are evaluated in `names`, and refused without.
    """
    try:
        return _Decoder(names).decode(json.loads(text))
    except NotPlain:
        raise
    except Exception as error:
        raise NotPlain(f"no value: {type(error).__name__}") from None


class _Encoder:
    """Counts the items of one value."""

    def __init__(self) -> None:
        self._left = MOST_ITEMS

    def encode(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise NotPlain(f"a value of more than {MOST_ITEMS:,} items")
        kind = next((kind for kind in type(value).__mro__ if kind in _ENCODERS), None)
        if kind is not None:
            return _ENCODERS[kind](self, value)
        if hasattr(value, "__next__"):
            return {"iterator": self._items(islice(value, self._left + 1))}
        if hasattr(value, "dtype") and getattr(value, "shape", None) == ():
            return self.encode(value.item())  # a number of a numerical library
        raise NotPlain(f"a value of type {type(value).__name__[:100]}")

    def _items(self, items: Iterable[Any]) -> list[Any]:
        return [self.encode(item) for item in items]


def _name_of_builtin(value: Any) -> str:
    name = type.__getattribute__(value, "__name__")
    if vars(builtins).get(name) is not value:
        raise NotPlain("a class")
    return str(name)


def _builtin(name: str) -> type:
    value = vars(builtins).get(name)
    if not isinstance(value, type):
        raise NotPlain("a class")
    return value


def _sorted(items: Iterable[Any]) -> list[Any]:
    """Equal sets give equal texts."""
    return sorted(items, key=json.dumps)


# By the methods of the plain types themselves: those of a subclass may have been replaced.
_ENCODERS: dict[type, Callable[[_Encoder, Any], Any]] = {
    type(None): lambda _, value: None,
    type: lambda _, value: {"type": _name_of_builtin(value)},
    Expression: lambda _, value: {"expression": repr(value)},
    bool: lambda _, value: value is True,
    int: lambda _, value: int.__int__(value),
    float: lambda _, value: float.__float__(value),
    str: lambda _, value: str.__str__(value),
    complex: lambda _, value: {"complex": complex.__repr__(value)},
    bytes: lambda _, value: {"bytes": bytes.__add__(value, b"").decode("latin-1")},
    bytearray: lambda _, value: {"bytearray": bytes(bytearray.copy(value)).decode("latin-1")},
    range: lambda _, value: {"range": [value.start, value.stop, value.step]},
    list: lambda encoder, value: encoder._items(list.__iter__(value)),
    tuple: lambda encoder, value: {"tuple": encoder._items(tuple.__iter__(value))},
    set: lambda encoder, value: {"set": _sorted(encoder._items(set.__iter__(value)))},
    frozenset: lambda encoder, value: {
        "frozenset": _sorted(encoder._items(frozenset.__iter__(value)))
    },
    dict: lambda encoder, value: {
        "dict": [[encoder.encode(k), encoder.encode(v)] for k, v in dict.items(value)]
    },
    type({}.keys()): lambda encoder, value: {"keys": encoder._items(value)},
    type({}.values()): lambda encoder, value: {"values": encoder._items(value)},
    type({}.items()): lambda encoder, value: {"items": encoder._items(value)},
    decimal.Decimal: lambda _, value: {"decimal": decimal.Decimal.__str__(value)},
    fractions.Fraction: lambda _, value: {"fraction": fractions.Fraction.__str__(value)},
    datetime.datetime: lambda _, value: {"datetime": datetime.datetime.isoformat(value)},
    datetime.date: lambda _, value: {"date": datetime.date.isoformat(value)},
    datetime.time: lambda _, value: {"time": datetime.time.isoformat(value)},
    datetime.timedelta: lambda _, value: {
        "timedelta": [value.days, value.seconds, value.microseconds]
    },
}


class _Decoder:
    """Makes values of forms."""

    def __init__(self, names: dict[str, Any] | None) -> None:
        self._names = names

    def decode(self, form: Any) -> Any:
        if isinstance(form, list):
            return [self.decode(item) for item in form]
        if not isinstance(form, dict):
            return form
        [(kind, content)] = form.items()
        if kind == "expression" and self._names is not None:
            return eval(content, self._names)
        if kind in _CONTAINERS:
            return _CONTAINERS[kind]([self.decode(item) for item in content])
        return _SCALARS[kind](content)


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "iterator": iter,
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": lambda items: dict(enumerate(items)).values(),
    "items": lambda items: dict(items).items(),
}
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "type": _builtin,
    "complex": complex,
    "bytes": lambda text: text.encode("latin-1"),
    "bytearray": lambda text: bytearray(text.encode("latin-1")),
    "range": lambda bounds: range(*bounds),
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(*parts),
}
