"""Do two scalar trees have the same value? Exact where possible, else a 50 digit identity test.

A decimal stands for a value no decimal can write (1/3, sqrt 3, 40 pi) if it is that value rounded
or cut at its own places, with at least four significant digits. A decimal of twelve or more
significant digits is a printed float and matches within 1e-9. Everything else must be exact.
"""

from fractions import Fraction
from typing import Any

from rstar_async.answers.evaluation import (
    POINTS,
    WHOLE,
    Unaffordable,
    evaluate,
    is_real,
    relative_error,
)
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    DEGREE,
    ONE,
    ZERO,
    Call,
    Const,
    Node,
    Num,
    Product,
    Sum,
)
from rstar_async.answers.walking import children, replace, symbols

FLOAT_DIGITS = 12
FLOAT_ERROR = Fraction(1, 10**9)
ROUNDED_DIGITS = 4
_SAME, _DIFFERENT = 1e-40, 1e-25


def compare_scalars(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """Symmetric. None where this test cannot tell, "undecided" where a slower one cannot either."""
    if gold == predicted:
        return "equal"
    if isinstance(gold, Num) and isinstance(predicted, Num):
        return "equal" if _same_numbers(gold, predicted, rules) else "different"
    if _is_infinite(gold) or _is_infinite(predicted):
        return _compare_infinite(gold, predicted)
    try:
        finding = _compare_values(gold, predicted, rules)
    except Unaffordable as reason:
        return "undecided" if reason.is_hopeless else None
    if finding == "different":
        return _other_readings(gold, predicted, rules)
    return finding


def _other_readings(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """Degrees may be meant where only one side writes them; a logarithm may have another base."""
    if _has(gold, DEGREE) != _has(predicted, DEGREE):
        bare = replace(gold, DEGREE, ONE), replace(predicted, DEGREE, ONE)
        if _compare_plain(*bare, rules) == "equal":
            is_angle = all(not _has(side, DEGREE) or _is_angle(side) for side in (gold, predicted))
            return "equal" if is_angle else "undecided"
    unclear = [_has_call(side, "log?") for side in (gold, predicted)]
    if unclear[0] != unclear[1]:
        return "undecided"
    return "different"


def _compare_plain(gold: Node, predicted: Node, rules: Rules) -> Finding:
    if gold == predicted:
        return "equal"
    if isinstance(gold, Num) and isinstance(predicted, Num):
        return "equal" if _same_numbers(gold, predicted, rules) else "different"
    try:
        return _compare_values(gold, predicted, rules)
    except Unaffordable:
        return None


def _is_angle(node: Node) -> bool:
    """A number of degrees and nothing else: 90 may stand for it."""
    if isinstance(node, Sum):
        return all(map(_is_angle, node.terms))
    return isinstance(node, Product) and DEGREE in node.factors


def _has(node: Node, wanted: Node) -> bool:
    return node == wanted or any(_has(child, wanted) for child in children(node))


def _has_call(node: Node, name: str) -> bool:
    is_it = isinstance(node, Call) and node.function == name
    return is_it or any(_has_call(child, name) for child in children(node))


def _same_numbers(one: Num, other: Num, rules: Rules) -> bool:
    if one.value == other.value:
        return True
    if rules.relative_tolerance:
        return _within(one.value, other.value, rules)
    return any(_is_written_as(*pair) for pair in ((one, other), (other, one)))


def _is_written_as(exact: Num, decimal: Num) -> bool:
    """Is `decimal` a rounding of `exact`, where the latter is a printed float or never ends?"""
    if decimal.digits >= FLOAT_DIGITS and _float_error(decimal, exact.value):
        return True
    if exact.digits >= FLOAT_DIGITS > decimal.digits:
        return _is_endless_float(exact) and _stands_for(decimal, exact.value)
    return not (exact.digits or _is_terminating(exact.value)) and _stands_for(decimal, exact.value)


def _within(one: Fraction, other: Fraction, rules: Rules) -> bool:
    scales = (1, 100, Fraction(1, 100)) if rules.hundredfold else (1,)
    bound = rules.relative_tolerance * max(abs(one), abs(other))
    return any(abs(one - other * scale) <= bound * max(1, scale) for scale in scales)


def _float_error(decimal: Num, exact: Fraction) -> bool:
    scale = abs(exact) if exact else Fraction(1, 1000)
    return abs(decimal.value - exact) <= FLOAT_ERROR * scale


def _is_terminating(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _is_endless_float(printed: Num) -> bool:
    """Not 16386.190000000001, which is a short decimal with noise at its end."""
    mantissa = f"{float(printed.value):.11e}".split("e")[0]
    return len(mantissa.rstrip("0").lstrip("-")) > 11


def _stands_for(decimal: Num, exact: Fraction) -> bool:
    """Is the decimal that value rounded, or cut, at its own last place?"""
    if decimal.digits < ROUNDED_DIGITS or not decimal.places:
        return False
    last_place = Fraction(1, 10**decimal.places)
    shortfall = (exact - decimal.value) * (1 if decimal.value > 0 else -1)
    return abs(shortfall) * 2 <= last_place or 0 <= shortfall < last_place


def _is_infinite(node: Node) -> bool:
    return node == Const("oo") or (isinstance(node, Product) and Const("oo") in node.factors)


def _compare_infinite(gold: Node, predicted: Node) -> Finding:
    is_constant = not (symbols(gold) or symbols(predicted))
    return "different" if is_constant else None


def _compare_values(gold: Node, predicted: Node, rules: Rules) -> Finding:
    variables = symbols(gold) | symbols(predicted)
    has_float = any(_digits(n) >= FLOAT_DIGITS for n in (gold, predicted))
    tolerance = max(float(rules.relative_tolerance), float(FLOAT_ERROR) if has_float else 0.0)
    agreed = 0
    first = WHOLE if _has_call(gold, "floordiv") or _has_call(predicted, "floordiv") else 0
    for point in range(first, first + POINTS if variables else first + 1):
        one, scale_one = evaluate(gold, point)
        other, scale_other = evaluate(predicted, point)
        if variables and is_real(one) != is_real(other):
            return None
        error = relative_error(one, other, max(scale_one, scale_other))
        if error > max(_DIFFERENT, tolerance):
            return _differing(gold, predicted, one, other, bool(variables))
        if error > max(_SAME, tolerance):
            return None
        agreed += is_real(one) or not variables or _has_unit(gold)
    return "equal" if agreed >= (2 if variables else 1) else None


def compare_ratio(one: Node, other: Node) -> float | None:
    """The constant that one is the other times, sampled; None where there is none to be sure of."""
    if one == other:
        return 1.0
    if one == ZERO or other == ZERO or not (symbols(one) and symbols(one) == symbols(other)):
        return None
    ratios = []
    try:
        for point in range(POINTS):
            (left, _), (right, _) = evaluate(one, point), evaluate(other, point)
            if not left or not right or not is_real(left) or not is_real(right):
                return None
            ratios.append(left / right)
    except Unaffordable:
        return None
    first = ratios[0]
    is_constant = all(abs(ratio - first) <= _SAME * 1e5 * abs(first) for ratio in ratios)
    return float(first.real) if is_constant else None


def _differing(gold: Node, predicted: Node, one: Any, other: Any, has_variables: bool) -> Finding:
    """Different, unless a decimal stands for the other value or both left the reals."""
    if has_variables:
        return "different" if is_real(one) or _has_unit(gold) else None
    pairs = ((gold, other, predicted), (predicted, one, gold))
    is_rounded = any(_is_rounded(decimal, value, exact) for decimal, value, exact in pairs)
    return "equal" if is_rounded else "different"


def _is_rounded(decimal: Node, value: Any, exact: Node) -> bool:
    if not isinstance(decimal, Num) or not decimal.digits or _digits(exact) or not is_real(value):
        return False
    return _stands_for(decimal, Fraction(str(value.real)))


def _digits(node: Node) -> int:
    """The longest decimal written inside."""
    if isinstance(node, Num):
        return node.digits
    return max(map(_digits, children(node)), default=0)


def _has_unit(node: Node) -> bool:
    return node == Const("i") or any(map(_has_unit, children(node)))
