"""Whether a solution computes what its problem says, step by step, and not only its answer. Pure.

A generated problem has a solution of its own. A right process assigns the same values in the same
order. Programs are read, not executed: whole numbers, their arithmetic, `math.gcd` and `math.lcm`.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping

OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
FUNCTIONS: Mapping[str, Callable[[int, int], int]] = {"gcd": math.gcd, "lcm": math.lcm}
MOST_DIGITS = 30


class Unreadable(Exception):
    """The program has something that is not read here."""


def is_right_process(program: str, gold: str) -> bool | None:
    """None if it cannot be told."""
    try:
        tree, gold_tree = ast.parse(program), ast.parse(gold)
    except (SyntaxError, ValueError):
        return None
    if ast.dump(tree) == ast.dump(gold_tree):
        return True
    try:
        return _assigned(tree) == _assigned(gold_tree)
    except (Unreadable, ZeroDivisionError):
        return None


def _assigned(tree: ast.Module) -> list[int]:
    """The values that the program assigns, in order."""
    values: dict[str, int] = {}
    found: list[int] = []
    for statement in tree.body:
        if (name := _target(statement)) is not None:
            values[name] = _assigned_value(statement, values)
            found.append(values[name])
    return found


def _target(statement: ast.stmt) -> str | None:
    """The name that a statement assigns to; None if it is an import or prints."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name
        case ast.Import() | ast.Expr():
            return None
    raise Unreadable


def _assigned_value(statement: ast.stmt, values: Mapping[str, int]) -> int:
    match statement:
        case ast.Assign(value=value):
            return _value(value, values)
        case ast.AugAssign(target=target, op=op, value=value):
            return _combined(op, _value(target, values), _value(value, values))
    raise Unreadable


def _value(node: ast.expr, values: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(op, _value(left, values), _value(right, values))
        case ast.Call(func=ast.Attribute(attr=name), args=[one, other]) if name in FUNCTIONS:
            return FUNCTIONS[name](_value(one, values), _value(other, values))
    raise Unreadable


def _combined(op: ast.operator, one: int, other: int) -> int:
    if type(op) not in OPERATORS or max(abs(one), abs(other)) >= 10**MOST_DIGITS:
        raise Unreadable
    return OPERATORS[type(op)](one, other)
