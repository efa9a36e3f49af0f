"""Sets of real numbers as unions of intervals: what intervals, inequalities and set-builders say.

Ends are trees, so that `x < a` can be compared; only putting several intervals in order needs
their values, and what has none raises `Unaffordable`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rstar_async.answers import tree
from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.evaluation import Unaffordable, evaluate, is_real
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    INFINITY,
    SCALARS,
    ZERO,
    Call,
    Const,
    Group,
    Node,
    Num,
    Product,
    Relation,
    Sym,
)
from rstar_async.answers.walking import symbols

_MINUS_INFINITY = tree.negate(INFINITY)
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "=", "!=": "!="}
_INTERVALS = {"round": (False, False), "square": (True, True), "leftopen": (False, True),
              "rightopen": (True, False)}  # fmt: skip
_OPERATIONS = ("union", "intersection", "without")


@dataclass(frozen=True)
class Interval:
    low: Node
    high: Node
    has_low: bool
    has_high: bool


RealSet = tuple[Interval, ...]
REALS: RealSet = (Interval(_MINUS_INFINITY, INFINITY, False, False),)


@dataclass(frozen=True)
class Solution:
    """What a condition allows its subject to be; without a subject, a set."""

    subject: Node | None
    values: RealSet


def is_set(node: Node) -> bool:
    """Can it only be a set or a condition, never a point or a list?"""
    match node:
        case Group(kind="builder" | "and" | "or" | "leftopen" | "rightopen"):
            return True
        case Group(kind=kind) if kind in _OPERATIONS:
            return True
        case Group(kind="round" | "square", items=(low, high)):
            return low == _MINUS_INFINITY or high == INFINITY
        case Relation(operator=operator):
            return operator in ("<", "<=", ">", ">=", "!=", "notin")
        case Const(name="R"):
            return True
    return False


def compare_sets(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """Equal where both are the same set of reals for the same subject."""
    try:
        one, other = solution(gold), solution(predicted)
        if one is None or other is None:
            return None
        if one.subject is not None and other.subject is not None:
            one, other = _same_subject(one, other)
            if compare_scalars(one.subject or ZERO, other.subject or ZERO, rules) != "equal":
                return None
            return _compare_intervals(one.values, other.values, rules)
        return _compare_with_set(one, other, rules)
    except Unaffordable:
        return None


def _compare_with_set(gold: Solution, predicted: Solution, rules: Rules) -> Finding:
    """A set and a condition; of `|x| <= 3` the set may hold x, or the absolute values."""
    bare = _without_absolute(gold), _without_absolute(predicted)
    found = _compare_intervals(bare[0].values, bare[1].values, rules)
    if found == "equal" or bare == (gold, predicted):
        return found
    folded = _compare_intervals(gold.values, predicted.values, rules)
    return "undecided" if folded == "equal" else found


def _compare_intervals(gold: RealSet, predicted: RealSet, rules: Rules) -> Finding:
    gold, predicted = _merged(gold), _merged(predicted)
    if len(gold) != len(predicted):
        return "different"
    found: list[Finding] = []
    for one, other in zip(gold, predicted, strict=True):
        if (one.has_low, one.has_high) != (other.has_low, other.has_high):
            return "different"
        found += [
            _compare_ends(*ends, rules) for ends in ((one.low, other.low), (one.high, other.high))
        ]
    if "different" in found:
        return "different"
    if "undecided" in found:
        return "undecided"
    return "equal" if all(finding == "equal" for finding in found) else None


def _compare_ends(gold: Node, predicted: Node, rules: Rules) -> Finding:
    return compare_scalars(gold, predicted, rules)


def _same_subject(one: Solution, other: Solution) -> tuple[Solution, Solution]:
    """`|z| in A` says what `z` may be, if the other side speaks of `z`."""
    bare = _without_absolute(one), _without_absolute(other)
    is_mixed = (bare[0] == one) != (bare[1] == other)
    return bare if is_mixed and bare[0].subject == bare[1].subject else (one, other)


def _without_absolute(side: Solution) -> Solution:
    match side.subject:
        case Call(function="abs", arguments=(inner,)):
            return Solution(inner, _unfolded(side.values))
    return side


def _unfolded(values: RealSet) -> RealSet:
    positive = _intersection(values, (Interval(ZERO, INFINITY, True, False),))
    mirrored = tuple(
        Interval(tree.negate(part.high), tree.negate(part.low), part.has_high, part.has_low)
        for part in positive
    )
    return (*mirrored, *positive)


def solution(node: Node) -> Solution | None:
    """The set a condition or a set stands for; None for anything else."""
    match node:
        case Const(name="R"):
            return Solution(None, REALS)
        case Const(name="empty"):
            return Solution(None, ())
        case Relation():
            return _of_relation(node)
        case Group(kind="builder", items=(Sym() as name, condition)):
            inner = solution(condition)
            return Solution(None, inner.values) if inner and inner.subject == name else None
        case Group(kind="builder", items=(Relation(operator="in") as domain, condition)):
            parts = solution(domain), solution(condition)
            if parts[0] is None or parts[1] is None or parts[0].subject != parts[1].subject:
                return None
            return Solution(None, _intersection(parts[0].values, parts[1].values))
        case Group(kind="set", items=items) if all(isinstance(item, SCALARS) for item in items):
            return Solution(None, tuple(Interval(item, item, True, True) for item in items))
        case Group(kind=kind, items=(low, high)) if kind in _INTERVALS:
            if isinstance(low, SCALARS) and isinstance(high, SCALARS):
                return Solution(None, (Interval(low, high, *_INTERVALS[kind]),))
        case Group(kind="and" | "or" | "union" | "intersection" | "without" as kind, items=items):
            return _of_parts(kind, [solution(item) for item in items])
    return None


def _of_parts(kind: str, parts: Sequence[Solution | None]) -> Solution | None:
    found = [part for part in parts if part is not None]
    if len(found) != len(parts) or len({part.subject for part in found}) != 1:
        return None
    values = found[0].values
    for part in found[1:]:
        if kind in ("or", "union"):
            values = (*values, *part.values)
        else:
            other = part.values if kind != "without" else _complement(part.values)
            values = _intersection(values, other)
    return Solution(found[0].subject, values)


def _of_relation(relation: Relation) -> Solution | None:
    operator, left, right = relation.operator, relation.left, relation.right
    if operator in ("in", "notin"):
        inner = solution(right)
        if inner is None or inner.subject is not None or not isinstance(left, SCALARS):
            return None
        return Solution(left, inner.values if operator == "in" else _complement(inner.values))
    if operator not in _MIRRORED or not isinstance(left, SCALARS) or not isinstance(right, SCALARS):
        return None
    if not symbols(left) or (
        isinstance(right, Sym)
        and symbols(right).isdisjoint(symbols(left))
        and not isinstance(left, Sym)
    ):
        operator, left, right = _MIRRORED[operator], right, left
    return _of_comparison(operator, left, right)


def _of_comparison(operator: str, subject: Node, bound: Node) -> Solution | None:
    if not symbols(subject) or symbols(subject) & symbols(bound):
        return None
    match subject:
        case Product(factors=(Num(value=factor) as number, Sym() as name)):
            operator = operator if factor > 0 else _MIRRORED[operator]
            subject, bound = name, tree.divide(bound, number)
    upper = Interval(_MINUS_INFINITY, bound, False, operator == "<=")
    lower = Interval(bound, INFINITY, operator == ">=", False)
    values = {
        "<": (upper,), "<=": (upper,), ">": (lower,), ">=": (lower,), "!=": (upper, lower),
        "=": (Interval(bound, bound, True, True),),
    }  # fmt: skip
    return Solution(subject, values[operator])


def _value(end: Node) -> Any:
    if end in (INFINITY, _MINUS_INFINITY):
        return math.inf if end == INFINITY else -math.inf
    if symbols(end):
        raise Unaffordable("an end with a variable")
    value = evaluate(end)[0]
    if not is_real(value):
        raise Unaffordable("an end that is not real")
    return value.real


def _before(one: Node, other: Node) -> bool:
    if one == other:
        return False
    if one == _MINUS_INFINITY or other == INFINITY:
        return True
    return other != _MINUS_INFINITY and one != INFINITY and bool(_value(one) < _value(other))


def _is_same(one: Node, other: Node) -> bool:
    return not _before(one, other) and not _before(other, one)


def _is_nothing(part: Interval) -> bool:
    if part.high == INFINITY or part.low == _MINUS_INFINITY:
        return False
    if symbols(part.low) or symbols(part.high):
        return False
    if _before(part.high, part.low):
        return True
    return _is_same(part.low, part.high) and not (part.has_low and part.has_high)


def _intersection(one: RealSet, other: RealSet) -> RealSet:
    parts = (_overlap(left, right) for left in one for right in other)
    return tuple(part for part in parts if not _is_nothing(part))


def _overlap(one: Interval, other: Interval) -> Interval:
    if _is_same(one.low, other.low):
        low, has_low = one.low, one.has_low and other.has_low
    else:
        inner = other if _before(one.low, other.low) else one
        low, has_low = inner.low, inner.has_low
    if _is_same(one.high, other.high):
        high, has_high = one.high, one.has_high and other.has_high
    else:
        inner = one if _before(one.high, other.high) else other
        high, has_high = inner.high, inner.has_high
    return Interval(low, high, has_low, has_high)


def _complement(values: RealSet) -> RealSet:
    rest = REALS
    for part in values:
        below = Interval(_MINUS_INFINITY, part.low, False, not part.has_low)
        above = Interval(part.high, INFINITY, not part.has_high, False)
        around = [
            side
            for side, end in ((below, part.low), (above, part.high))
            if end not in (INFINITY, _MINUS_INFINITY)
        ]
        rest = _intersection(rest, tuple(around))
    return rest


def _merged(values: RealSet) -> RealSet:
    """The intervals in order, those that touch made one."""
    if len(values) < 2:
        return tuple(part for part in values if not _is_nothing(part))
    ordered = sorted(
        (part for part in values if not _is_nothing(part)),
        key=lambda part: (_value(part.low), not part.has_low),
    )
    found: list[Interval] = []
    for part in ordered:
        if found and _touch(found[-1], part):
            found[-1] = _hull(found[-1], part)
        else:
            found.append(part)
    return tuple(found)


def _touch(one: Interval, other: Interval) -> bool:
    if _is_same(one.high, other.low):
        return one.has_high or other.has_low
    return _before(other.low, one.high)


def _hull(one: Interval, other: Interval) -> Interval:
    if _is_same(one.high, other.high):
        high, has_high = one.high, one.has_high or other.has_high
    else:
        outer = other if _before(one.high, other.high) else one
        high, has_high = outer.high, outer.has_high
    return Interval(one.low, high, one.has_low, has_high)
