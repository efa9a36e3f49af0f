"""Cuts a program into steps as a model would have written them: whole statements, not lines."""

import ast
import warnings
from itertools import pairwise

LONGEST = 20_000  # characters; what is longer, or cannot be parsed, stays in one piece


def pieces(source: str, most: int) -> list[str]:
    """At most `most` pieces of about as many statements each; joined by newlines, the source."""
    lines, starts = source.split("\n"), _starts(source)
    size = -(-len(starts) // most) or 1
    cuts = [0, *starts[size::size], len(lines)]
    return ["\n".join(lines[one:other]) for one, other in pairwise(cuts)]


def _starts(source: str) -> list[int]:
    """The lines, from 0, on which a statement begins behind the end of the one before."""
    if len(source) > LONGEST or "\r" in source:
        return []
    try:
        with warnings.catch_warnings(action="ignore"):
            body = ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    ends = [0, *(statement.end_lineno or 0 for statement in body)]
    firsts = map(_first_line, body)
    return [first - 1 for first, end in zip(firsts, ends, strict=False) if first > end]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
