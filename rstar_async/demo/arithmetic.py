"""Carries out the demo's programs on paper: assignments of whole-number arithmetic, without Python.

Values are exact and may depend on one unknown, a x + b. Anything else in a program is `Unreadable`;
nothing that a model wrote is executed, and nothing takes long.
"""

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

LARGEST = 10**30


class Unreadable(Exception):
    """The program does what is not known here."""


@dataclass(frozen=True, slots=True)
class Value:
    """slope * x + constant, where x is the unknown."""

    constant: Fraction
    slope: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if max(abs(self.constant), abs(self.slope)) > LARGEST:
            raise Unreadable

    @property
    def known(self) -> Fraction:
        if self.slope:
            raise Unreadable
        return self.constant

    @property
    def whole(self) -> int:
        if self.known.denominator != 1:
            raise Unreadable
        return int(self.known)


@dataclass
class State:
    """Variables by name, and what was printed."""

    variables: dict[str, Value] = field(default_factory=dict)
    printed: list[Value] = field(default_factory=list)

    def after(self, source: str) -> "State":
        """The state that `source` leads to; this one stays. `Unreadable` if it cannot be told."""
        changed = State({**self.variables}, [*self.printed])
        try:
            for statement in _parsed(source):
                _carry_out(statement, changed)
        except RecursionError:
            raise Unreadable from None
        return changed


def _parsed(source: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes and the like
            return ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError):
        raise Unreadable from None


def _carry_out(statement: ast.stmt, state: State) -> None:
    match statement:
        case ast.Import() | ast.ImportFrom():
            pass
        case ast.Assign(targets=[ast.Name(name)], value=value):
            state.variables[name] = _value(value, state)
        case ast.AugAssign(target=ast.Name(name), op=op, value=value):
            state.variables[name] = _combined(op, _variable(name, state), _value(value, state))
        case ast.Expr(value=ast.Call(func=ast.Name("print"), args=[value], keywords=[])):
            state.printed.append(_value(value, state))
        case _:
            raise Unreadable


def _value(node: ast.expr, state: State) -> Value:
    match node:
        case ast.Constant(value=int(number)):
            return Value(Fraction(number))
        case ast.Name(name):
            return _variable(name, state)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combined(ast.Mult(), Value(Fraction(-1)), _value(operand, state))
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(op, _value(left, state), _value(right, state))
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _called(_name_of(function), arguments, state)
        case ast.Subscript(
            value=ast.Call(func=ast.Name("solve"), args=[equation, _], keywords=[]),
            slice=ast.Constant(value=0),
        ):
            return _root(_value(equation, state))
        case _:
            raise Unreadable


def _variable(name: str, state: State) -> Value:
    if name not in state.variables:
        raise Unreadable
    return state.variables[name]


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(name):
            return name
        case ast.Attribute(value=ast.Name("math"), attr=name):
            return name
        case _:
            raise Unreadable


def _called(name: str, arguments: Sequence[ast.expr], state: State) -> Value:
    if name in ("symbols", "Symbol"):
        return Value(Fraction(0), Fraction(1))
    values = [_value(argument, state) for argument in arguments]
    if name in ("gcd", "lcm"):
        return Value(Fraction(getattr(math, name)(*(value.whole for value in values))))
    if name == "int" and len(values) == 1:
        return Value(Fraction(int(values[0].known)))
    raise Unreadable


_OF_KNOWN: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction | int]] = {
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _combined(op: ast.operator, left: Value, right: Value) -> Value:
    match op:
        case ast.Add():
            return Value(left.constant + right.constant, left.slope + right.slope)
        case ast.Sub():
            return Value(left.constant - right.constant, left.slope - right.slope)
        case ast.Mult() if left.slope:
            return Value(left.constant * right.known, left.slope * right.known)
        case ast.Mult():
            return Value(left.known * right.constant, left.known * right.slope)
        case _ if type(op) in _OF_KNOWN and right.known:
            return Value(Fraction(_OF_KNOWN[type(op)](left.known, right.known)))
        case _:
            raise Unreadable


def _root(value: Value) -> Value:
    """Where the value is 0."""
    if not value.slope:
        raise Unreadable
    return Value(-value.constant / value.slope)
