"""Names both notations share: numbers, constants, Greek letters and functions."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.tree import Const, Node, NotUnderstood, Num

MAX_DIGITS = 1000
_NUMBER = re.compile(r"(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?")
_REPEATING = re.compile(r"(\d*)\.(\d*)↻(\d+)")

CONSTANTS: dict[str, Node] = {
    "pi": Const("pi"), "e": Const("e"), "i": Const("i"), "oo": tree.INFINITY,
    "inf": tree.INFINITY, "infty": tree.INFINITY, "infinity": tree.INFINITY,
    "Infinity": tree.INFINITY,
}  # fmt: skip
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega"
)
GREEK = frozenset(_GREEK.split())
_PLAIN_NAMES = (
    "sin cos tan cot sec csc sinh cosh tanh asin acos atan floor ceiling re im arg conjugate"
)
_PLAIN = _PLAIN_NAMES.split()
_ALIASES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "ceil": "ceiling"}


def decimal_number(written: str) -> Num:
    """An exact number from digits, an optional point and an optional power of ten."""
    if repeating := _REPEATING.fullmatch(written):
        return _repeating_number(*repeating.groups())
    parts = _NUMBER.fullmatch(written)
    if not parts or len(written) > MAX_DIGITS or not (parts[1] or parts[2]):
        raise NotUnderstood("not a plain number")
    whole, after, shift = parts[1], parts[2] or "", int(parts[3] or 0)
    value = Fraction(int((whole + after) or 0)) * Fraction(10) ** (shift - len(after))
    if parts[2] is None and parts[3] is None:
        return Num(value)
    return Num(value, len((whole + after).lstrip("0")), max(0, len(after) - shift))


def _repeating_number(whole: str, before: str, again: str) -> Num:
    if len(whole + before + again) > MAX_DIGITS:
        raise NotUnderstood("a long period")
    period = Fraction(int(again), 10 ** len(again) - 1)
    return Num((int((whole + before) or 0) + period) / 10 ** len(before))


def _unary(name: str) -> Callable[[Sequence[Node]], Node]:
    def build(arguments: Sequence[Node]) -> Node:
        if len(arguments) != 1:
            raise NotUnderstood(name)
        return tree.call(name, *arguments)

    return build


def _logarithm(arguments: Sequence[Node]) -> Node:
    logs = [tree.call("log", argument) for argument in arguments]
    if len(logs) == 2:
        return tree.divide(logs[0], logs[1])
    return _only(logs)


def _root(arguments: Sequence[Node]) -> Node:
    if len(arguments) != 2:
        raise NotUnderstood("root")
    return tree.power(arguments[0], tree.divide(tree.ONE, arguments[1]))


def _binomial(arguments: Sequence[Node]) -> Node:
    if len(arguments) != 2:
        raise NotUnderstood("binomial")
    return tree.call("binomial", *arguments)


def permutations(*arguments: Node) -> Node:
    """n! / (n - k)!"""
    if len(arguments) != 2:
        raise NotUnderstood("permutations")
    total, chosen = map(tree.scalar, arguments)
    rest = tree.add(total, tree.negate(chosen))
    return tree.divide(tree.call("factorial", total), tree.call("factorial", rest))


def _only(arguments: Sequence[Node]) -> Node:
    if len(arguments) != 1:
        raise NotUnderstood("one argument expected")
    return tree.scalar(arguments[0])


FUNCTIONS: dict[str, Callable[[Sequence[Node]], Node]] = {
    **{name: _unary(name) for name in _PLAIN},
    **{alias: _unary(name) for alias, name in _ALIASES.items()},
    "exp": lambda arguments: tree.power(Const("e"), _only(arguments)),
    "sqrt": lambda arguments: tree.square_root(_only(arguments)),
    "cbrt": lambda arguments: _root([*arguments, Num(Fraction(3))]),
    "root": _root,
    "log": _logarithm,
    "log2": lambda arguments: _logarithm([_only(arguments), Num(Fraction(2))]),
    "log10": lambda arguments: _logarithm([_only(arguments), Num(Fraction(10))]),
    "ln": lambda arguments: tree.call("log", _only(arguments)),
    "Abs": lambda arguments: tree.call("abs", _only(arguments)),
    "abs": lambda arguments: tree.call("abs", _only(arguments)),
    "factorial": lambda arguments: tree.call("factorial", _only(arguments)),
    "binomial": _binomial,
    "comb": _binomial,
    "perm": lambda arguments: permutations(*arguments),
}
