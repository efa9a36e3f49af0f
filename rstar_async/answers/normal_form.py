"""From the text of an answer to its normal form: its spelling and, where it was read, its tree.

Pure and of bounded cost: texts beyond `MAX_CHARS` are not read at all. Nothing is dropped: a tree
stands for the whole text, or there is none.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rstar_async.answers.grammar import parse_answer
from rstar_async.answers.notation import decimal_number
from rstar_async.answers.python_form import parse_python
from rstar_async.answers.spelling import key, spell
from rstar_async.answers.tree import Ambiguous, Node, NotUnderstood, Num, Word

MAX_CHARS = 1000
_CODE = re.compile(
    r"[A-Za-z][A-Za-z0-9]{3,}|[\u2460-\u24ff\u2776-\u2793]+|[A-Za-z' -]*[A-Za-z]{4,}"
)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_PYTHON_SIGNS = re.compile(
    r"\*|==|//|\d[eE][+-]?\d|\d[jJ]\b|[A-Za-z]\w+[(.]|[A-Za-z]_?\d|^\{\s*\w+\s*:|\) [&|] \("
    r"|^\[[\[\]\d\s.eE+-]* [\[\]\d\s.eE+-]*\]$|['\"]"
)


@dataclass(frozen=True)
class NormalForm:
    """What one answer says. `tree` is None where it was not understood as a whole."""

    key: str
    tree: Node | None = None
    decimal: Num | None = None
    """The other reading of `1000,99`, which as a tree is a list of two numbers."""


@lru_cache(maxsize=4096)
def normal_form(text: str) -> NormalForm:
    """Read an answer; a gold answer is asked for again with every prediction."""
    if len(text) > MAX_CHARS:
        return NormalForm(text)
    spelled = spell(text)
    looks_python = "\\" not in spelled and bool(_PYTHON_SIGNS.search(spelled))
    readers = (parse_python, parse_answer) if looks_python else (parse_answer, parse_python)
    for read in readers:
        try:
            return NormalForm(key(spelled), read(spelled), _decimal_comma(spelled))
        except Ambiguous:
            return NormalForm(key(spelled))
        except (NotUnderstood, RecursionError):
            continue
    return NormalForm(key(spelled), Word(spelled) if _CODE.fullmatch(spelled) else None)


def _decimal_comma(value: str) -> Num | None:
    if not _DECIMAL_COMMA.fullmatch(value):
        return None
    number = decimal_number(value.lstrip("-").replace(",", "."))
    sign = -1 if value.startswith("-") else 1
    return Num(sign * number.value, number.digits, number.places)
