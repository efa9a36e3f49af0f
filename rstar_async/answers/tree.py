"""Answers as small expression trees, built only through folding constructors.

Invariant: sums and products are flat, sorted and have their numbers folded exactly, so two ways
of writing one thing often give equal trees. Folding has a bounded cost: integers stay below
`MAX_BITS`, everything larger is left standing as a power or factorial.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction

from rstar_async.answers.units import Unit

MAX_BITS = 4096
MAX_PARTS = 64


class NotUnderstood(Exception):
    """The text is outside the notation this package reads by itself."""


class Ambiguous(NotUnderstood):
    """The text has several readings; no other reader should pick one."""


@dataclass(frozen=True, slots=True)
class Num:
    """An exact number. `digits` and `places` tell how a decimal was written (0: not one)."""

    value: Fraction
    digits: int = field(default=0, compare=False)
    places: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sym:
    name: str


@dataclass(frozen=True, slots=True)
class Const:
    """One of pi, e, i, oo, deg (a degree), empty, dots and the sets R, Z, N, Q, C."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """An answer that is no mathematics: `even`, `Evelyn`, `BAC`."""

    text: str


@dataclass(frozen=True, slots=True)
class Sum:
    terms: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Product:
    factors: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Power:
    base: "Node"
    exponent: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A known function, or one that only the problem knows: `f@`, and `A?` where the brackets may
    as well be those of a product."""

    function: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Group:
    """Several things in order: list, set, round (), square [], leftopen (], rightopen [), angle,
    matrix (its items are round rows), union, intersection, without (a set difference), ratio,
    equal (a chain of equalities), and, or, cases (round rows of a value and its condition),
    builder (a symbol and its condition).
    """

    kind: str
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Relation:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Numeral:
    """Digits in a base other than ten: `52_8`."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit. Compound: written in several units (`3 hours 20 minutes`)."""

    value: "Node"
    unit: Unit
    is_compound: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds since midnight or noon; `half` is am or pm."""

    seconds: int
    half: str


@dataclass(frozen=True, slots=True)
class Date:
    """Zero and empty where the text does not say."""

    year: int
    month: int
    day: int
    weekday: str


@dataclass(frozen=True, slots=True)
class Choice:
    """`(C)`, `C: 24`: a letter of a multiple choice and, where given, what it stands for."""

    letter: str
    value: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Congruence:
    """`left` is None for a bare `3 (mod 7)`."""

    left: "Node | None"
    right: "Node"
    modulus: "Node"


@dataclass(frozen=True, slots=True)
class Where:
    """An answer with conditions: `x = k pi, k in Z`, `n = 3k for all integers k`."""

    body: "Node"
    conditions: "tuple[Node, ...]"


Node = (
    Num | Sym | Const | Word | Sum | Product | Power | Call | Group | Relation
    | Numeral | Quantity | Time | Date | Choice | Congruence | Where
)  # fmt: skip
SCALARS = (Num, Sym, Const, Sum, Product, Power, Call)
ZERO, ONE, MINUS_ONE, HALF = (Num(Fraction(n, 2)) for n in (0, 2, -2, 1))
INFINITY = Const("oo")
DEGREE = Const("deg")


def scalar(node: Node) -> Node:
    """The node itself, if arithmetic may be done with it."""
    if not isinstance(node, SCALARS):
        raise NotUnderstood("a group inside arithmetic")
    return node


def add(*terms: Node) -> Node:
    """The sum, flat and sorted, with its numbers folded into one."""
    return _combine(terms, Sum, ZERO)


def multiply(*factors: Node) -> Node:
    """The product, flat and sorted, with its numbers folded into one; 0 absorbs."""
    return _combine(factors, Product, ONE)


def negate(node: Node) -> Node:
    """The node times -1; a decimal stays one, with the digits it was written with."""
    if isinstance(node, Num):
        return Num(-node.value, node.digits, node.places)
    return multiply(MINUS_ONE, node)


def divide(dividend: Node, divisor: Node) -> Node:
    """The quotient; dividing by a written zero is not understood."""
    return multiply(dividend, power(divisor, MINUS_ONE))


def power(base: Node, exponent: Node) -> Node:
    """base^exponent: whole powers of small numbers and perfect square roots are folded."""
    scalar(base), scalar(exponent)
    if exponent == ONE:
        return base
    if isinstance(base, Num) and isinstance(exponent, Num):
        folded = _folded_power(base.value, exponent.value)
        if folded is not None:
            return Num(folded)
    return Power(base, exponent)


def square_root(node: Node) -> Node:
    """node^(1/2)."""
    return power(node, HALF)


def call(function: str, *arguments: Node) -> Node:
    """A known function of scalars; factorials and binomials of small integers are folded."""
    numbers = [a.value for a in map(scalar, arguments) if isinstance(a, Num)]
    if len(numbers) == len(arguments) and all(n.denominator == 1 and 0 <= n < 400 for n in numbers):
        if function == "factorial":
            return Num(Fraction(math.factorial(int(numbers[0]))))
        if function == "binomial":
            return Num(Fraction(math.comb(int(numbers[0]), int(numbers[1]))))
    return Call(function, arguments)


def _combine(nodes: tuple[Node, ...], kind: type[Sum] | type[Product], unit: Num) -> Node:
    number, rest = unit, []
    for node in nodes:
        for part in _parts(scalar(node), kind):
            if isinstance(part, Num):
                number = _fold(number, part, kind, unit)
            else:
                rest.append(part)
    if len(rest) > MAX_PARTS:
        raise NotUnderstood("too many parts")
    if kind is Product and number == ZERO:
        return ZERO
    parts: list[Node] = sorted(rest, key=repr)
    if number != unit or not parts:
        parts.insert(0, number)
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _parts(node: Node, kind: type[Sum] | type[Product]) -> tuple[Node, ...]:
    if isinstance(node, Sum) and kind is Sum:
        return node.terms
    return node.factors if isinstance(node, Product) and kind is Product else (node,)


def _fold(one: Num, two: Num, kind: type[Sum] | type[Product], unit: Num) -> Num:
    if one == unit:
        return two
    value = one.value + two.value if kind is Sum else one.value * two.value
    _check_size(value)
    return Num(value, max(one.digits, two.digits), max(one.places, two.places))


def _folded_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if base == 0 and exponent < 0:
        raise NotUnderstood("division by zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator == 1 and abs(exponent) * bits <= MAX_BITS:
        return base ** int(exponent)
    if exponent == Fraction(1, 2) and base >= 0:
        top, bottom = math.isqrt(base.numerator), math.isqrt(base.denominator)
        root = Fraction(top, bottom)
        return root if root * root == base else None
    return None


def _check_size(value: Fraction) -> None:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 2 * MAX_BITS:
        raise NotUnderstood("a number too large to fold")
