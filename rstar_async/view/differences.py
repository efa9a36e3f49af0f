"""Where two steps first differ, and of which kind that is. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rstar_async.text import tags

# number: two numbers; name: two names in code, such as variables; operation: any other difference
# in code; wording: other words in a comment; length: one step goes on where the other ends.
DifferenceKind: TypeAlias = Literal["operation", "number", "name", "wording", "length"]

_TAGS = re.compile("|".join(map(re.escape, (tags.CODE, tags.ANSWER, *tags.STEP_ENDS))))
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d]\w*|\*\*|//|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first tokens (numbers, words, signs) that differ; "" where a step has ended."""

    kind: DifferenceKind
    chosen: str
    rejected: str


def difference(chosen: str, rejected: str) -> Difference:
    """Between the texts of two steps, whatever tags they end with."""
    one, other = _tokens(chosen), _tokens(rejected)
    first = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a[0] != b[0]),
        min(len(one), len(other)),
    )
    a, b = _at(one, first), _at(other, first)
    return Difference(_kind(a, b), a[0], b[0])


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Each token, and whether it is in a comment."""
    return [
        (token[0], "#" in line[: token.end()])
        for line in _TAGS.sub("\n", text).splitlines()
        for token in _TOKEN.finditer(line)
    ]


def _at(tokens: Sequence[tuple[str, bool]], place: int) -> tuple[str, bool]:
    return tokens[place] if place < len(tokens) else ("", False)


def _kind(a: tuple[str, bool], b: tuple[str, bool]) -> DifferenceKind:
    (one, in_comment), (other, other_in_comment) = a, b
    if not one or not other or in_comment != other_in_comment:
        return "length"
    if one[0].isdigit() and other[0].isdigit():
        return "number"
    if in_comment:
        return "wording"
    return "name" if one.isidentifier() and other.isidentifier() else "operation"
