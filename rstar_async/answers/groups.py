"""Groups compared with groups, and with the one thing that they may stand for: tuples, lists, sets,
intervals, matrices.

A gold list or set is unordered and may be answered by any bracket (a program prints `[1, 2]` or
`(2, 1)`); a gold tuple wants its order; intervals want their ends. Repeated items count.
"""

from rstar_async.answers.items import in_any_order, in_order
from rstar_async.answers.kinds import Compare
from rstar_async.answers.ratios import compare_quotient, compare_ratios
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    SCALARS,
    ZERO,
    Const,
    Group,
    Node,
    NotUnderstood,
    Num,
    Sym,
    Word,
)
from rstar_async.answers.vectors import components
from rstar_async.answers.walking import contains, matrix, symbols

_UNORDERED = ("list", "set")
_HALF_OPEN = ("leftopen", "rightopen")
_DOTS = Const("dots")


def compare_groups(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    if not isinstance(gold, Group) or not isinstance(predicted, Group):
        return _compare_single(gold, predicted, rules, compare)
    gold, predicted = _without_set(gold, predicted), _without_set(predicted, gold)
    kinds = (gold.kind, predicted.kind)
    if "equal" in kinds or "cases" in kinds:
        same = kinds[0] == kinds[1]
        return in_order(gold.items, predicted.items, rules, compare) if same else "undecided"
    if "named" in kinds:
        return _compare_named(gold, predicted, rules, compare)
    if "ratio" in kinds:
        return compare_ratios(gold, predicted, rules, compare)
    if "matrix" in kinds:
        return _compare_matrices(gold, predicted, rules, compare)
    if _DOTS in gold.items or _DOTS in predicted.items:
        found = in_order(gold.items, predicted.items, rules, compare)
        return found if gold.kind == predicted.kind else "undecided"
    if gold.kind in _UNORDERED:
        if predicted.kind in _HALF_OPEN:
            return "different"
        return _compare_unordered(gold, predicted, rules, compare)
    if gold.kind != predicted.kind and _is_interval_clash(gold, predicted):
        return "different"
    return in_order(gold.items, predicted.items, rules, compare)


def _without_set(group: Group, other: Group) -> Group:
    """`{(1, 2)}` as `(1, 2)` where the other side is no set."""
    match group:
        case Group(
            kind="set" | "square", items=(Group(kind="round" | "angle" | "matrix") as item,)
        ):
            return item if other.kind in ("round", "angle") else group
    return group


def _compare_named(gold: Group, predicted: Group, rules: Rules, compare: Compare) -> Finding:
    """Values in the order of their names; a bare gold list may or may not have that order."""
    found = in_order(gold.items, predicted.items, rules, compare)
    if found == "different" and gold.kind in _UNORDERED:
        same = in_any_order(gold.items, predicted.items, rules, compare)
        return "undecided" if same == "equal" else found
    return found


def _compare_unordered(gold: Group, predicted: Group, rules: Rules, compare: Compare) -> Finding:
    one, other = gold.items, predicted.items
    if gold.kind == "set":
        one, other = tuple(dict.fromkeys(one)), tuple(dict.fromkeys(other))
    found = in_any_order(one, other, rules, compare)
    if (
        found == "equal"
        and in_order(one, other, rules, compare) != "equal"
        and any(map(_is_label, one))
    ):
        return "undecided"
    return found


def _is_label(node: Node) -> bool:
    """Names and points: an order of them may be the answer."""
    return isinstance(node, Word) or (isinstance(node, Sym) and node.name[0].isupper())


def _is_interval_clash(gold: Group, predicted: Group) -> bool:
    """(a, b), [a, b], (a, b] differ as intervals; three items, or falling ones, are no interval."""
    if gold.kind in _HALF_OPEN or predicted.kind in _HALF_OPEN:
        return True
    if "angle" in (gold.kind, predicted.kind) or any(map(_is_label, gold.items)):
        return False
    if gold.kind == "round" and predicted.kind in _UNORDERED:
        return False
    return len(gold.items) == 2 and not _is_falling(gold)


def _is_falling(group: Group) -> bool:
    left, right = group.items
    return isinstance(left, Num) and isinstance(right, Num) and left.value >= right.value


def _compare_single(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """A group of one may answer for its only item, a set only where `{x}` is no fractional part."""
    group, other = (gold, predicted) if isinstance(gold, Group) else (predicted, gold)
    if not isinstance(group, Group) or not isinstance(other, SCALARS):
        return None
    if (parts := components(other)) is not None:
        return _compare_with_components(gold, predicted, parts, rules, compare)
    if group.kind == "ratio":
        return compare_quotient(gold, predicted, rules, compare)
    if group.kind in ("equal", "cases", "builder"):
        return "undecided"
    if len(group.items) > 1 and all(compare(i, other, rules) == "equal" for i in group.items):
        return "undecided"
    if len(group.items) != 1 or group.kind in ("union", "matrix"):
        return None if isinstance(other, Sym) and other.name.islower() else "different"
    item = group.items[0]
    if not isinstance(item, SCALARS) or group.kind == "angle" or symbols(item):
        return "undecided"
    found = compare(*((item, other) if group is gold else (other, item)), rules)
    may_be_rounded = _has_fraction(item) if group.kind == "set" else _is_decimal(item)
    return "undecided" if found == "equal" and may_be_rounded else found


def _is_decimal(node: Node) -> bool:
    """`[3.7]` may be the floor of 3.7; `[20/3]` is what a program prints."""
    return isinstance(node, Num) and bool(node.digits) and node.value.denominator != 1


def _has_fraction(node: Node) -> bool:
    return not (isinstance(node, Num) and (node.value.denominator == 1 or 0 <= node.value < 1))


def _compare_with_components(
    gold: Node, predicted: Node, parts: tuple[Node, ...], rules: Rules, compare: Compare
) -> Finding:
    group = gold if isinstance(gold, Group) else predicted
    assert isinstance(group, Group)
    size = len(_cells(group)) if group.kind == "matrix" else len(group.items)
    if group.kind not in ("round", "angle", "matrix", "square") or size not in (2, 3):
        return "undecided"
    if size == 2 and parts[2] != ZERO:
        return "different"
    vector = Group("angle", parts[:size])
    return compare(*((group, vector) if group is gold else (vector, group)), rules)


def _compare_matrices(gold: Group, predicted: Group, rules: Rules, compare: Compare) -> Finding:
    flat = [_is_line(g) if g.kind == "matrix" else _is_flat(g) for g in (gold, predicted)]
    if all(flat) and gold.kind != predicted.kind:
        return in_order(_cells(gold), _cells(predicted), rules, compare)
    try:
        sides = [g if g.kind == "matrix" else _as_matrix(g) for g in (gold, predicted)]
    except NotUnderstood:
        return "different"
    if not _same_shape(*sides):
        return "different"
    return in_order(_cells(sides[0]), _cells(sides[1]), rules, compare)


def _is_flat(group: Group) -> bool:
    is_list = group.kind in ("round", "angle", "square", "list")
    return is_list and not any(contains(item, Group) for item in group.items)


def _is_line(group: Group) -> bool:
    """One row or one column: a vector."""
    return len(group.items) == 1 or len(_cells(group)) == len(group.items)


def _as_matrix(group: Group) -> Group:
    if group.kind not in ("square", "round", "list"):
        raise NotUnderstood("not a matrix")
    return matrix(group)


def _cells(group: Group) -> list[Node]:
    rows = [
        row.items if isinstance(row, Group) and row.kind == "round" else (row,)
        for row in group.items
    ]
    return [cell for row in rows for cell in row]


def _same_shape(one: Group, other: Group) -> bool:
    return len(one.items) == len(other.items) and len(_cells(one)) == len(_cells(other))
