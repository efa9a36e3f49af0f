"""Answers with conditions: general solutions `x = a + k d, k in Z`, up to the letter of k."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, permutations

from rstar_async.answers.evaluation import Unaffordable, evaluate
from rstar_async.answers.kinds import Compare
from rstar_async.answers.names import is_named, value_of
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    SCALARS,
    Const,
    Group,
    Node,
    Num,
    Relation,
    Sym,
    Where,
    add,
    multiply,
    negate,
)
from rstar_async.answers.walking import replace, symbols

_MAX_PARAMETERS = 3
_MAX_PERIODS = 24


def compare_families(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """Equal up to the names of the parameters, or as the same progressions."""
    if not isinstance(gold, Where) or not isinstance(predicted, Where):
        return "undecided"
    if any(_matches(gold, renamed, rules, compare) for renamed in _renamings(gold, predicted)):
        return "equal"
    return _compare_progressions(gold, predicted, rules) or "undecided"


def _matches(gold: Where, predicted: Where, rules: Rules, compare: Compare) -> bool:
    if len(gold.conditions) != len(predicted.conditions):
        return False
    if any(
        not any(compare(one, other, rules) == "equal" for other in predicted.conditions)
        for one in gold.conditions
    ):
        return False
    return compare(gold.body, predicted.body, rules) == "equal"


def _parameters(answer: Where) -> list[str]:
    """The letters that the conditions restrict."""
    found = [symbols(c.left if isinstance(c, Relation) else c) for c in answer.conditions]
    return sorted(frozenset().union(*found))


def _renamings(gold: Where, predicted: Where) -> list[Where]:
    """The prediction with its parameters named as those of the gold answer, in every order."""
    names, wanted = _parameters(predicted), _parameters(gold)
    if len(names) != len(wanted) or len(names) > _MAX_PARAMETERS:
        return [predicted]
    return [_renamed(predicted, names, order) for order in permutations(wanted)]


def _renamed(answer: Where, names: Sequence[str], wanted: Sequence[str]) -> Where:
    body, conditions = answer.body, answer.conditions
    steps = [(name, f"_{number}") for number, name in enumerate(names)]
    steps += [(f"_{number}", name) for number, name in enumerate(wanted)]
    for old, new in steps:
        body = replace(body, Sym(old), Sym(new))
        conditions = tuple(replace(part, Sym(old), Sym(new)) for part in conditions)
    return Where(body, conditions)


def _compare_progressions(gold: Where, predicted: Where, rules: Rules) -> Finding:
    """Both as sets of numbers a + kd over all integers k, cut into classes of one common step."""
    one, other = _progressions(gold), _progressions(predicted)
    if one is None or other is None:
        return None
    found = [_covers(one, other, rules), _covers(other, one, rules)]
    if "different" in found:
        return "different"
    return "equal" if found == ["equal", "equal"] else None


def _progressions(answer: Where) -> list[tuple[Node, Node]] | None:
    """Start and step of every item; None for what is no arithmetic progression over Z."""
    names = _parameters(answer)
    if len(names) != 1 or answer.conditions != (Relation("in", Sym(names[0]), Const("Z")),):
        return None
    body = value_of(answer.body) if is_named(answer.body) else answer.body
    items = body.items if isinstance(body, Group) and body.kind == "list" else (body,)
    found = []
    for item in items:
        if not isinstance(item, SCALARS) or symbols(item) - {names[0]}:
            return None
        values = [replace(item, Sym(names[0]), Num(Fraction(k))) for k in range(3)]
        steps = [add(after, negate(before)) for before, after in pairwise(values)]
        if _number(add(steps[0], negate(steps[1]))) != 0 or not _number(steps[0]):
            return None
        found.append((values[0], steps[0]))
    return found


def _number(node: Node) -> float | None:
    try:
        value, scale = evaluate(node)
    except Unaffordable:
        return None
    return 0.0 if not scale or abs(value) <= 1e-30 * scale else float(abs(value))


def _covers(one: list[tuple[Node, Node]], other: list[tuple[Node, Node]], rules: Rules) -> Finding:
    """Is every number of the first progressions among those of the others?"""
    for start, step in one:
        for k in range(_MAX_PERIODS):
            value = add(start, multiply(Num(Fraction(k)), step))
            if not any(_is_member(value, *progression) for progression in other):
                return "different"
    return "equal"


def _is_member(value: Node, start: Node, step: Node) -> bool:
    try:
        gap, _ = evaluate(add(value, negate(start)))
        size, _ = evaluate(step)
    except Unaffordable:
        return False
    times = (gap / size).real
    return bool(abs(times - round(float(times))) < 1e-12)
