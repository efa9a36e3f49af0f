"""The equation of a word problem as a solution in steps, one operation a step. Pure.

MAWPS, ASDiv, SVAMP and Math23K give an equation over the numbers of the question in place of a
solution. The last step quotes what is asked, each other one the sentences with its numbers.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown

Number: TypeAlias = int | float
Operation: TypeAlias = Callable[[Number, Number], Number]

OPERATIONS: Mapping[type[ast.operator], tuple[str, Operation]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
MOST_CHARACTERS = 500
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_NUMBER = re.compile(r"(?<![\w.])(?:\d[\d,]*)?\.?\d+")


class EquationSolution(NamedTuple):
    """The text of the steps, of which the last one prints, and what it prints."""

    steps: tuple[str, ...]
    printed: str


class _Operand(NamedTuple):
    text: str
    value: Number


def solution_of_equation(question: str, equation: str, where: str) -> EquationSolution:
    """The steps that compute an equation such as "(35 - 7) / 4" or "x = 35 - 7".

    `BadInput` starts with `where` if it is not made of numbers, brackets and + - * /.
    """
    right_side = equation.rpartition("=")[2].strip()
    sentences = _SENTENCE_END.split(" ".join(question.split()))
    steps: list[str] = []
    try:
        text, value = _expression(_parsed(right_side), sentences, steps)
        if not math.isfinite(value):
            raise ValueError
    except (ArithmeticError, KeyError, RecursionError, SyntaxError, ValueError):
        raise BadInput(
            f"{where}: the equation {shown(equation)} is not one of numbers, brackets and + - * /"
        ) from None
    last = f"# {sentences[-1]}\nprint({text})"
    return EquationSolution((*steps, last), str(value))


def _parsed(equation: str) -> ast.expr:
    if len(equation) > MOST_CHARACTERS:
        raise ValueError
    return ast.parse(equation, mode="eval").body


def _expression(node: ast.expr, sentences: Sequence[str], steps: list[str]) -> _Operand:
    """The operation of a node over numbers and names; those that it needs become steps before."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            sign, operation = OPERATIONS[type(op)]
            one, other = (_operand(side, sentences, steps) for side in (left, right))
            return _Operand(f"{one.text} {sign} {other.text}", operation(one.value, other.value))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return _Operand(f"-{number}", -number)
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _Operand(str(number), number)
    raise ValueError


def _operand(node: ast.expr, sentences: Sequence[str], steps: list[str]) -> _Operand:
    operand = _expression(node, sentences, steps)
    if not isinstance(node, ast.BinOp):
        return operand
    name = f"part_{len(steps) + 1}"
    steps.append(f"# {_quoted(operand.text, sentences)}\n{name} = {operand.text}")
    return _Operand(name, operand.value)


def _quoted(expression: str, sentences: Sequence[str]) -> str:
    """The sentences with a number of the expression; without any, what is asked."""
    used = set(_numbers(expression))
    quoted = [sentence for sentence in sentences if used & set(_numbers(sentence))]
    return " ".join(quoted) or sentences[-1]


def _numbers(text: str) -> Iterator[float]:
    return (float(found.replace(",", "")) for found in _NUMBER.findall(text))
