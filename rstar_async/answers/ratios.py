"""Ratios compared: `3:4` with `6:8` and 3/4, but a time of day is no ratio."""

from collections.abc import Sequence

from rstar_async.answers.kinds import Compare, clock_seconds
from rstar_async.answers.rules import Finding, Rules, all_of
from rstar_async.answers.tree import SCALARS, ZERO, Group, Node, Num, divide


def compare_ratios(gold: Group, predicted: Group, rules: Rules, compare: Compare) -> Finding:
    """`3:4` is `6:8`; what may be times of day must be written with the same numbers."""
    if gold.kind != predicted.kind or len(gold.items) != len(predicted.items):
        return "undecided" if gold.kind != predicted.kind else "different"
    same = _in_order(gold.items, predicted.items, rules, compare)
    if same == "equal" or not all(isinstance(n, SCALARS) for n in (*gold.items, *predicted.items)):
        return same
    one, other = gold.items[0], predicted.items[0]
    if ZERO in (one, other):
        return same
    scaled = [
        [divide(item, first) for item in group.items]
        for group, first in ((gold, one), (predicted, other))
    ]
    found = _in_order(scaled[0], scaled[1], rules, compare)
    if found != "equal":
        return found
    return "undecided" if _may_be_clock(gold) else "equal"


def compare_quotient(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    ratio, other = (gold, predicted) if isinstance(gold, Group) else (predicted, gold)
    assert isinstance(ratio, Group)
    if len(ratio.items) != 2 or not all(isinstance(item, SCALARS) for item in ratio.items):
        return "undecided"
    if ratio.items[1] == ZERO or _may_be_clock(ratio):
        return "undecided"
    quotient = divide(*ratio.items)
    return compare(*((quotient, other) if ratio is gold else (other, quotient)), rules)


def _may_be_clock(group: Group) -> bool:
    """Minutes of a time have two digits; `3:4` can only be a ratio."""
    minutes = group.items[-1]
    return clock_seconds(group) is not None and isinstance(minutes, Num) and minutes.value >= 10


def _in_order(
    gold: Sequence[Node], predicted: Sequence[Node], rules: Rules, compare: Compare
) -> Finding:
    return all_of(compare(g, p, rules) for g, p in zip(gold, predicted, strict=True))
