"""Trees compared part by part: relations, tuples, lists, sets, intervals, matrices.

A gold list or set is unordered and may be answered by any bracket (a program prints `[1, 2]` or
`(2, 1)`); a gold tuple wants its order; intervals want their ends. Repeated items count.
"""

from collections.abc import Sequence

from rstar_async.answers import real_sets
from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.families import compare_families
from rstar_async.answers.kinds import (
    compare_choices,
    compare_congruences,
    compare_dates,
    compare_numerals,
    compare_quantities,
    compare_times,
    compare_words,
)
from rstar_async.answers.names import has_relation, is_named, value_of, without_working
from rstar_async.answers.ratios import compare_quotient, compare_ratios
from rstar_async.answers.relations import compare_relations
from rstar_async.answers.rules import Finding, Rules, all_of
from rstar_async.answers.tree import (
    SCALARS,
    ZERO,
    Choice,
    Congruence,
    Const,
    Date,
    Group,
    Node,
    NotUnderstood,
    Num,
    Numeral,
    Power,
    Product,
    Quantity,
    Relation,
    Sym,
    Time,
    Where,
    Word,
)
from rstar_async.answers.vectors import components
from rstar_async.answers.walking import contains, matrix, symbols

MAX_PAIRINGS = 100
_UNORDERED = ("list", "set")
_HALF_OPEN = ("leftopen", "rightopen")
_DOTS = Const("dots")
_LETTER_UNITS = frozenset(("m", "g", "s", "h", "L", "l", "N", "J", "W", "V", "A", "K", "Omega"))
_OF_A_KIND = (
    (Where, compare_families),
    (Choice, compare_choices),
    (Congruence, compare_congruences),
    (Word, compare_words),
    (Quantity, compare_quantities),
    (Numeral, compare_numerals),
    (Time, compare_times),
    (Date, compare_dates),
)


def compare_answers(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """The verdict on two whole answers; only the gold answer's working is taken on trust."""
    predicted = without_working(predicted, is_trusted=_has_working(gold))
    return compare_trees(without_working(gold, is_trusted=True), predicted, rules)


def _has_working(node: Node) -> bool:
    return isinstance(node, Group) and node.kind == "equal"


def compare_trees(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """The verdict on two trees; None where only a slower judge could tell."""
    if gold == predicted:
        return "equal"
    gold, predicted = _without_names(gold, predicted)
    for kind, compare in _OF_A_KIND:
        if isinstance(gold, kind) or isinstance(predicted, kind):
            return compare(gold, predicted, rules, compare_trees)
    if real_sets.is_set(gold) or real_sets.is_set(predicted):
        return _compare_sets(gold, predicted, rules)
    if isinstance(gold, Relation) or isinstance(predicted, Relation):
        return compare_relations(gold, predicted, rules, compare_trees)
    if isinstance(gold, SCALARS) and isinstance(predicted, SCALARS):
        return _compare_scalars(gold, predicted, rules)
    return _compare_groups(gold, predicted, rules)


def _without_names(gold: Node, predicted: Node) -> tuple[Node, Node]:
    """`x = 5` and `f(x) = 5` become 5 where only one side names its value."""
    if is_named(gold) and not has_relation(predicted):
        return value_of(gold), predicted
    if is_named(predicted) and not has_relation(gold):
        return gold, value_of(predicted)
    if is_named(gold) and real_sets.is_set(predicted) and not is_named(predicted):
        return gold, predicted
    return gold, predicted


def _compare_scalars(gold: Node, predicted: Node, rules: Rules) -> Finding:
    names = symbols(gold) | symbols(predicted)
    if any(name.startswith("vector ") for name in names):
        return _compare_vectors(gold, predicted, rules)
    special = [node for node in (gold, predicted) if isinstance(node, Const) and _is_thing(node)]
    if special:
        is_zero = ZERO in (gold, predicted) and Const("empty") in special
        return "undecided" if is_zero or (len(special) == 1 and names) else "different"
    if isinstance(gold, Sym) and isinstance(predicted, Sym):
        is_case = gold.name.casefold() == predicted.name.casefold()
        return "undecided" if is_case else "different"
    found = compare_scalars(gold, predicted, rules)
    return "undecided" if found == "different" and _may_have_unit(gold, predicted) else found


def _may_have_unit(gold: Node, predicted: Node) -> bool:
    """`5 m` may be five meters where the other side says 5."""
    for number, product in ((gold, predicted), (predicted, gold)):
        match product:
            case Product(factors=(Num() as value, letter)):
                name = letter.base if isinstance(letter, Power) else letter
                is_unit = isinstance(name, Sym) and name.name in _LETTER_UNITS
                return is_unit and number == value
    return False


def _is_thing(node: Const) -> bool:
    return node.name in ("empty", "dots") or node.name.isupper()


def _compare_sets(gold: Node, predicted: Node, rules: Rules) -> Finding:
    found = real_sets.compare_sets(gold, predicted, rules)
    if found is not None:
        return found
    if isinstance(gold, Relation) and isinstance(predicted, Relation):
        return compare_relations(gold, predicted, rules, compare_trees)
    if isinstance(gold, Group) and isinstance(predicted, Group) and gold.kind == predicted.kind:
        compare = _ordered if gold.kind in ("without", "builder") else _unordered
        same = compare(gold.items, predicted.items, rules)
        return same if same == "equal" else None
    return "different" if _is_number(gold) or _is_number(predicted) else None


def _is_number(node: Node) -> bool:
    is_constant = isinstance(node, SCALARS) and not isinstance(node, Const) and not symbols(node)
    return is_constant or isinstance(node, Quantity)


def _compare_vectors(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """Combinations of unit vectors by their components."""
    sides = [components(side) for side in (gold, predicted)]
    if sides[0] is None or sides[1] is None:
        return "different" if isinstance(gold, Num) or isinstance(predicted, Num) else "undecided"
    return _ordered(sides[0], sides[1], rules)


def _compare_groups(gold: Node, predicted: Node, rules: Rules) -> Finding:
    if not isinstance(gold, Group) or not isinstance(predicted, Group):
        return _compare_single(gold, predicted, rules)
    gold, predicted = _without_set(gold, predicted), _without_set(predicted, gold)
    kinds = (gold.kind, predicted.kind)
    if "equal" in kinds or "cases" in kinds:
        same = kinds[0] == kinds[1]
        return _ordered(gold.items, predicted.items, rules) if same else "undecided"
    if "named" in kinds:
        return _compare_named(gold, predicted, rules)
    if "ratio" in kinds:
        return compare_ratios(gold, predicted, rules, compare_trees)
    if "matrix" in kinds:
        return _compare_matrices(gold, predicted, rules)
    if _DOTS in gold.items or _DOTS in predicted.items:
        found = _ordered(gold.items, predicted.items, rules)
        return found if gold.kind == predicted.kind else "undecided"
    if gold.kind in _UNORDERED:
        if predicted.kind in _HALF_OPEN:
            return "different"
        return _compare_unordered(gold, predicted, rules)
    if gold.kind != predicted.kind and _is_interval_clash(gold, predicted):
        return "different"
    return _ordered(gold.items, predicted.items, rules)


def _without_set(group: Group, other: Group) -> Group:
    """`{(1, 2)}` as `(1, 2)` where the other side is no set."""
    match group:
        case Group(
            kind="set" | "square", items=(Group(kind="round" | "angle" | "matrix") as item,)
        ):
            return item if other.kind in ("round", "angle") else group
    return group


def _compare_named(gold: Group, predicted: Group, rules: Rules) -> Finding:
    """Values in the order of their names; a bare gold list may or may not have that order."""
    found = _ordered(gold.items, predicted.items, rules)
    if found == "different" and gold.kind in _UNORDERED:
        same = _unordered(gold.items, predicted.items, rules)
        return "undecided" if same == "equal" else found
    return found


def _compare_unordered(gold: Group, predicted: Group, rules: Rules) -> Finding:
    one, other = gold.items, predicted.items
    if gold.kind == "set":
        one, other = tuple(dict.fromkeys(one)), tuple(dict.fromkeys(other))
    found = _unordered(one, other, rules)
    if found == "equal" and _ordered(one, other, rules) != "equal" and any(map(_is_label, one)):
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


def _compare_single(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """A group of one may answer for its only item, a set only where `{x}` is no fractional part."""
    group, other = (gold, predicted) if isinstance(gold, Group) else (predicted, gold)
    if not isinstance(group, Group) or not isinstance(other, SCALARS):
        return None
    if (parts := components(other)) is not None:
        return _compare_with_components(gold, predicted, parts, rules)
    if group.kind == "ratio":
        return compare_quotient(gold, predicted, rules, compare_trees)
    if group.kind in ("equal", "cases", "builder"):
        return "undecided"
    if len(group.items) > 1 and all(compare_trees(i, other, rules) == "equal" for i in group.items):
        return "undecided"
    if len(group.items) != 1 or group.kind in ("union", "matrix"):
        return None if isinstance(other, Sym) and other.name.islower() else "different"
    item = group.items[0]
    if not isinstance(item, SCALARS) or group.kind == "angle" or symbols(item):
        return "undecided"
    found = compare_trees(*((item, other) if group is gold else (other, item)), rules)
    may_be_rounded = _has_fraction(item) if group.kind == "set" else _is_decimal(item)
    return "undecided" if found == "equal" and may_be_rounded else found


def _is_decimal(node: Node) -> bool:
    """`[3.7]` may be the floor of 3.7; `[20/3]` is what a program prints."""
    return isinstance(node, Num) and bool(node.digits) and node.value.denominator != 1


def _has_fraction(node: Node) -> bool:
    return not (isinstance(node, Num) and (node.value.denominator == 1 or 0 <= node.value < 1))


def _compare_with_components(
    gold: Node, predicted: Node, parts: tuple[Node, ...], rules: Rules
) -> Finding:
    group = gold if isinstance(gold, Group) else predicted
    assert isinstance(group, Group)
    size = len(_cells(group)) if group.kind == "matrix" else len(group.items)
    if group.kind not in ("round", "angle", "matrix", "square") or size not in (2, 3):
        return "undecided"
    if size == 2 and parts[2] != ZERO:
        return "different"
    vector = Group("angle", parts[:size])
    return compare_trees(*((group, vector) if group is gold else (vector, group)), rules)


def _compare_matrices(gold: Group, predicted: Group, rules: Rules) -> Finding:
    flat = [_is_line(g) if g.kind == "matrix" else _is_flat(g) for g in (gold, predicted)]
    if all(flat) and gold.kind != predicted.kind:
        return _ordered(_cells(gold), _cells(predicted), rules)
    try:
        sides = [g if g.kind == "matrix" else _as_matrix(g) for g in (gold, predicted)]
    except NotUnderstood:
        return "different"
    if not _same_shape(*sides):
        return "different"
    return _ordered(_cells(sides[0]), _cells(sides[1]), rules)


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


def _ordered(gold: Sequence[Node], predicted: Sequence[Node], rules: Rules) -> Finding:
    if len(gold) != len(predicted):
        return "different"
    return all_of(_compare_items(g, p, rules) for g, p in zip(gold, predicted, strict=True))


def _compare_items(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """Inside a group, a group of one is not its item: `{{1}}` is not `{1}`."""
    if isinstance(gold, Group) != isinstance(predicted, Group):
        group = gold if isinstance(gold, Group) else predicted
        assert isinstance(group, Group)
        if group.kind in ("set", "square", "round", "list", "matrix"):
            return "different"
    return compare_trees(gold, predicted, rules)


def _unordered(gold: Sequence[Node], predicted: Sequence[Node], rules: Rules) -> Finding:
    """Every item needs a partner of its own."""
    left, right = list(gold), list(predicted)
    for item in gold:
        if item in right:
            left.remove(item)
            right.remove(item)
    if len(left) != len(right):
        return "different"
    if len(left) * len(right) > MAX_PAIRINGS:
        return None
    return all_of(_partner(item, right, rules) for item in left)


def _partner(item: Node, candidates: list[Node], rules: Rules) -> Finding:
    """Take an equal candidate out of the list; the best finding if there is none."""
    findings = [_compare_items(item, candidate, rules) for candidate in candidates]
    if "equal" in findings:
        del candidates[findings.index("equal")]
        return "equal"
    if "undecided" in findings:
        return "undecided"
    return None if None in findings else "different"
