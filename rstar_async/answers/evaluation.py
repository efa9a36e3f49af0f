"""Trees to numbers with 50 digits, at fixed sample points, with a bounded cost.

A value comes with the scale of what was added to get it, so that cancellation is seen. Values
whose comparison would mean nothing at this precision, or cost too much, are `Unaffordable`.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath  # type: ignore[import-untyped]

from rstar_async.answers.tree import (
    Call,
    Const,
    Node,
    Num,
    Power,
    Product,
    Sum,
    Sym,
)  # fmt: skip

DIGITS = 50
POINTS = 4
WHOLE = 100
"""Sample points from here on are whole numbers."""
_FAR = 2.0**100
"""Terms further apart than this swallow each other at 50 digits."""
_MAX_EXPONENT = 1e6

_mp: Any = mpmath.MPContext()
_mp.dps = DIGITS


class Unaffordable(Exception):
    """No trustworthy value within the precision and cost allowed.

    Hopeless: so close to another value that no floating point judge can tell (2^(2^-1000) and 1).
    """

    def __init__(self, reason: str, is_hopeless: bool = False) -> None:
        super().__init__(reason)
        self.is_hopeless = is_hopeless


@dataclass
class _Evaluation:
    point: int
    scale: Any


@lru_cache(maxsize=2048)
def evaluate(node: Node, point: int = 0) -> tuple[Any, Any]:
    """The value of a scalar tree at a sample point, and the largest magnitude met in sums."""
    run = _Evaluation(point, _mp.mpf(0))
    try:
        value = _value(node, run)
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise Unaffordable(type(error).__name__) from error
    if not _mp.isfinite(value):
        raise Unaffordable("not finite")
    return value, max(run.scale, abs(value))


def is_real(value: Any) -> bool:
    """Is the imaginary part nothing but rounding?"""
    return bool(abs(_mp.im(value)) <= _mp.mpf(10) ** -40 * (1 + abs(value)))


@lru_cache(maxsize=1024)
def sample(name: str, point: int) -> Any:
    """A fixed real number for this variable; signs vary with the point, whole from `WHOLE` on."""
    seed = zlib.crc32(f"{name}/{point}".encode())
    if point >= WHOLE:
        return _mp.mpf(seed % 97 + 1)
    magnitude = _mp.mpf(seed % 1_000_003) / 1_000_003 * 3 + _mp.mpf(1) / 7
    return -magnitude if point % 2 else magnitude


def _value(node: Node, run: _Evaluation) -> Any:
    match node:
        case Num(value=number):
            return _mp.mpf(number.numerator) / number.denominator
        case Sym(name=name):
            return sample(name, run.point)
        case Const(name=name):
            return _constant(name)
        case Sum(terms=terms):
            return _sum([_value(term, run) for term in terms], run)
        case Product(factors=factors):
            return _mp.fprod(_value(factor, run) for factor in factors)
        case Power(base=base, exponent=exponent):
            return _power(_value(base, run), _value(exponent, run))
        case Call(function=name, arguments=arguments):
            return _call(name, [_value(argument, run) for argument in arguments])
    raise Unaffordable("no number")


def _constant(name: str) -> Any:
    if name == "i":
        return _mp.mpc(0, 1)
    if name in ("pi", "e"):
        return +getattr(_mp, name)
    if name == "deg":
        return _mp.pi / 180
    raise Unaffordable(name)


def _sum(terms: list[Any], run: _Evaluation) -> Any:
    sizes = [abs(term) for term in terms if term]
    if sizes:
        run.scale = max(run.scale, *sizes)
        if max(sizes) > _FAR * min(sizes):
            raise Unaffordable("terms too far apart")
    return _mp.fsum(terms)


def _power(base: Any, exponent: Any) -> Any:
    if base == 0:
        if _mp.re(exponent) <= 0:
            raise Unaffordable("a power of zero")
        return base
    size = abs(exponent * _mp.log(base))
    _check_extent(size)
    return _mp.power(base, exponent)


def _call(name: str, arguments: list[Any]) -> Any:
    size = max(abs(argument) for argument in arguments)
    _check_extent(size)
    if name in ("factorial", "binomial") and size > 5000:
        raise Unaffordable("an extreme factorial")
    if name[-1] in "?@":
        return _unknown(name, arguments)
    if name == "floordiv":
        return _mp.floor(arguments[0] / arguments[1])
    if name == "abs":
        return abs(arguments[0])
    if name in ("floor", "ceiling"):
        return _rounded(name, arguments[0])
    functions = {"log": "ln", "factorial": "factorial", "binomial": "binomial"}
    return getattr(_mp, functions.get(name, name))(*arguments)


def _unknown(name: str, arguments: list[Any]) -> Any:
    """A function of the problem takes some value, the same for the same arguments."""
    if name == "log?":
        return _mp.ln(arguments[0]) * sample(name, 0)
    if name.endswith("?"):
        raise Unaffordable("a product or a call")
    return sample(name + "".join(_mp.nstr(argument, 30) for argument in arguments), 0)


def _check_extent(size: Any) -> None:
    if size > _MAX_EXPONENT:
        raise Unaffordable("too large")
    if 0 < size < 1 / _FAR:
        raise Unaffordable("too close to zero", is_hopeless=True)


def _rounded(name: str, value: Any) -> Any:
    if abs(value - _mp.nint(value)) < 1e-30:
        raise Unaffordable("rounding at a whole number")
    return _mp.floor(value) if name == "floor" else _mp.ceil(value)


def relative_error(one: Any, other: Any, scale: Any) -> float:
    """|one - other| against the scale; 0 when both are nothing."""
    return float(abs(one - other) / scale) if scale else 0.0
