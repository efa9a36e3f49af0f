"""From the text of an answer to its normal form: a tree, a unit and a percent sign.

Pure and of bounded cost: texts beyond `MAX_CHARS` are not read at all.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rstar_async.answers.latex_form import parse_latex
from rstar_async.answers.notation import decimal_number
from rstar_async.answers.python_form import parse_python
from rstar_async.answers.spelling import key, spell
from rstar_async.answers.tree import Node, NotUnderstood, Num, Word
from rstar_async.answers.units import split_unit

MAX_CHARS = 1000
_WORDS = re.compile(r"\(?[A-Za-z][A-Za-z'\- ]*\)?")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_PYTHON_SIGNS = re.compile(r"\*|==|\d[eE][+-]?\d|\d[jJ]\b|[A-Za-z]\w+[(.]|[A-Za-z]_?\d")


@dataclass(frozen=True)
class NormalForm:
    """What one answer says. `tree` is None where its value was not understood."""

    key: str
    tree: Node | None = None
    percent: bool = False
    unit: str = ""
    is_python: bool = False
    decimal: Num | None = None
    """The other reading of `1000,99`, which as a tree is a list of two numbers."""


def normal_form(text: str) -> NormalForm:
    """Read an answer; never raises, whatever the text."""
    if len(text) > MAX_CHARS:
        return NormalForm(text)
    spelled = spell(text)
    value, percent, unit = split_unit(spelled)
    looks_python = "\\" not in value and bool(_PYTHON_SIGNS.search(value))
    readers = (parse_python, parse_latex) if looks_python else (parse_latex, parse_python)
    for read in readers:
        tree = _understood(value, read)
        if tree is not None:
            decimal = _decimal_comma(value)
            return NormalForm(key(spelled), tree, percent, unit, read is parse_python, decimal)
    return NormalForm(key(spelled), Word(spelled) if _WORDS.fullmatch(spelled) else None)


def _decimal_comma(value: str) -> Num | None:
    if not _DECIMAL_COMMA.fullmatch(value):
        return None
    number = decimal_number(value.lstrip("-").replace(",", "."))
    sign = -1 if value.startswith("-") else 1
    return Num(sign * number.value, number.digits, number.places)


def _understood(text: str, read: Callable[[str], Node]) -> Node | None:
    try:
        return read(text)
    except (NotUnderstood, RecursionError):
        return None
