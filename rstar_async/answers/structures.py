"""Trees compared part by part: words, relations, tuples, sets, intervals, matrices.

A gold list or set is unordered and may be answered by any bracket (a program prints `[1, 2]` or
`(2, 1)`); a gold tuple wants its order; intervals want their ends.
"""

from collections.abc import Iterable, Sequence

from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.python_form import matrix
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    MINUS_ONE,
    SCALARS,
    Const,
    Group,
    Node,
    NotUnderstood,
    Num,
    Product,
    Relation,
    Sym,
    Word,
    add,
    multiply,
    negate,
)  # fmt: skip

MAX_PAIRINGS = 100
_UNORDERED = ("list", "set")
_HALF_OPEN = ("leftopen", "rightopen")
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}


def compare_trees(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """The verdict on two trees; None where only a slower judge could tell."""
    if gold == predicted:
        return "equal"
    if isinstance(gold, Word) or isinstance(predicted, Word):
        return _compare_words(gold, predicted)
    gold, predicted = _without_names(gold, predicted)
    if isinstance(gold, Relation) or isinstance(predicted, Relation):
        return _compare_relations(gold, predicted, rules)
    if isinstance(gold, SCALARS) and isinstance(predicted, SCALARS):
        if Const("empty") in (gold, predicted):
            return "different"
        return compare_scalars(gold, predicted, rules)
    return _compare_groups(gold, predicted, rules)


def all_of(findings: Iterable[Finding]) -> Finding:
    """One difference decides; then one undecided part; then one unknown."""
    found = list(findings)
    worse: tuple[Finding, ...] = ("different", "undecided", None)
    return next((finding for finding in worse if finding in found), "equal")


def _compare_words(gold: Node, predicted: Node) -> Finding:
    if isinstance(gold, Word) and isinstance(predicted, Word):
        one, other = gold.text.strip("() ").casefold(), predicted.text.strip("() ").casefold()
        if one == other:
            return "equal"
        return "different" if one.isalpha() and other.isalpha() else "undecided"
    return "different" if isinstance(gold, Num) or isinstance(predicted, Num) else None


def _without_names(gold: Node, predicted: Node) -> tuple[Node, Node]:
    """`x = 5` and `f(x) = 5` become 5 where only one side names its value."""
    if _is_named(gold) and not _has_relation(predicted):
        return _value(gold), predicted
    if _is_named(predicted) and not _has_relation(gold):
        return gold, _value(predicted)
    return gold, predicted


def _is_named(node: Node) -> bool:
    if isinstance(node, Group):
        return node.kind == "list" and all(map(_is_named, node.items))
    return isinstance(node, Relation) and node.operator in ("=", "in") and _is_name(node.left)


def _is_name(node: Node) -> bool:
    match node:
        case Product(factors=parts) | Group(kind="round" | "ratio", items=parts):
            return all(map(_is_name, parts))
    return isinstance(node, Sym)


def _has_relation(node: Node) -> bool:
    return isinstance(node, Relation) or (
        isinstance(node, Group) and any(map(_has_relation, node.items))
    )


def _value(node: Node) -> Node:
    if isinstance(node, Group):
        return Group(node.kind, tuple(map(_value, node.items)))
    return node.right if isinstance(node, Relation) else node


def _compare_relations(gold: Node, predicted: Node, rules: Rules) -> Finding:
    if not (isinstance(gold, Relation) and isinstance(predicted, Relation)):
        return None
    gold, predicted = _name_first(gold), _name_first(predicted)
    right = compare_trees(gold.right, predicted.right, rules)
    if gold.left == predicted.left and isinstance(gold.left, Sym) and _is_constant_bound(gold):
        return right if gold.operator == predicted.operator else "different"
    if gold.operator != predicted.operator:
        return None
    if right == "equal" and compare_trees(gold.left, predicted.left, rules) == "equal":
        return "equal"
    return _compare_differences(gold, predicted, rules)


def _compare_differences(gold: Relation, predicted: Relation, rules: Rules) -> Finding:
    """`a = b` and `c = d` say the same if a - b is c - d, or d - c; a comparison only the first."""
    parts = (gold.left, gold.right, predicted.left, predicted.right)
    if gold.operator == "in" or not all(isinstance(part, SCALARS) for part in parts):
        return None
    one, other = (add(side.left, negate(side.right)) for side in (gold, predicted))
    candidates = (other, multiply(MINUS_ONE, other)) if gold.operator == "=" else (other,)
    is_same = any(compare_scalars(one, candidate, rules) == "equal" for candidate in candidates)
    return "equal" if is_same else None


def _name_first(relation: Relation) -> Relation:
    """`5 > x` as `x < 5`; other inequalities with the smaller side first."""
    operator, left, right = relation.operator, relation.left, relation.right
    if operator not in _MIRRORED:
        return relation
    is_named = isinstance(left, Sym), isinstance(right, Sym)
    if is_named == (False, True) or (is_named[0] == is_named[1] and ">" in operator):
        return Relation(_MIRRORED[operator], right, left)
    return relation


def _is_constant_bound(relation: Relation) -> bool:
    """`x < 5`, `x = 5`, `x in (0, 1)`: nothing on the right but numbers."""
    return isinstance(relation.right, Num | Group) and not _has_relation(relation.right)


def _compare_groups(gold: Node, predicted: Node, rules: Rules) -> Finding:
    if not isinstance(gold, Group) or not isinstance(predicted, Group):
        return _compare_single(gold, predicted, rules)
    kinds = (gold.kind, predicted.kind)
    if "union" in kinds:
        same = gold.kind == predicted.kind
        finding = _unordered(gold.items, predicted.items, rules) if same else None
        return finding if finding == "equal" else None
    if "ratio" in kinds:
        finding = _ordered(gold.items, predicted.items, rules) if len(set(kinds)) == 1 else None
        return finding if finding == "equal" else None
    if "matrix" in kinds:
        return _compare_matrices(gold, predicted, rules)
    if gold.kind in _UNORDERED:
        if predicted.kind in _HALF_OPEN:
            return "different"
        return _unordered(gold.items, predicted.items, rules)
    if gold.kind != predicted.kind and _is_interval_clash(gold, predicted):
        return "different"
    return _ordered(gold.items, predicted.items, rules)


def _is_interval_clash(gold: Group, predicted: Group) -> bool:
    """(a, b), [a, b], (a, b] differ as intervals; three items, or falling ones, are no interval."""
    if gold.kind in _HALF_OPEN or predicted.kind in _HALF_OPEN:
        return True
    if gold.kind == "round" and predicted.kind in _UNORDERED:
        return False
    return len(gold.items) == 2 and not _is_falling(gold)


def _is_falling(group: Group) -> bool:
    left, right = group.items
    return isinstance(left, Num) and isinstance(right, Num) and left.value >= right.value


def _compare_single(gold: Node, predicted: Node, rules: Rules) -> Finding:
    """A group of one may answer for its only item."""
    group, other = (gold, predicted) if isinstance(gold, Group) else (predicted, gold)
    if not isinstance(group, Group) or not isinstance(other, SCALARS):
        return None
    if group.kind == "ratio":
        return None
    if len(group.items) != 1 or group.kind in ("union", "matrix"):
        return None if isinstance(other, Sym) else "different"
    if isinstance(gold, Group):
        return compare_trees(group.items[0], predicted, rules)
    return compare_trees(gold, group.items[0], rules)


def _compare_matrices(gold: Group, predicted: Group, rules: Rules) -> Finding:
    try:
        sides = [g if g.kind == "matrix" else _as_matrix(g) for g in (gold, predicted)]
    except NotUnderstood:
        return None
    return (
        _ordered(_cells(sides[0]), _cells(sides[1]), rules) if _same_shape(*sides) else "different"
    )


def _as_matrix(group: Group) -> Group:
    rows = matrix(group) if group.kind == "square" else None
    if not isinstance(rows, Group):
        raise NotUnderstood("not a matrix")
    return rows


def _cells(group: Group) -> list[Node]:
    return [cell for row in group.items if isinstance(row, Group) for cell in row.items]


def _same_shape(one: Group, other: Group) -> bool:
    return len(one.items) == len(other.items) and len(_cells(one)) == len(_cells(other))


def _ordered(gold: Sequence[Node], predicted: Sequence[Node], rules: Rules) -> Finding:
    if len(gold) != len(predicted):
        return "different"
    return all_of(compare_trees(g, p, rules) for g, p in zip(gold, predicted, strict=True))


def _unordered(gold: Sequence[Node], predicted: Sequence[Node], rules: Rules) -> Finding:
    """Every item needs a partner of its own; repeated items count once."""
    left = list(dict.fromkeys(gold))
    right = list(dict.fromkeys(predicted))
    common = set(left) & set(right)
    left, right = ([n for n in side if n not in common] for side in (left, right))
    if len(left) != len(right):
        return "different" if not left or not right or len(gold) == len(set(gold)) else None
    if len(left) * len(right) > MAX_PAIRINGS:
        return None
    return all_of(_partner(item, right, rules) for item in left)


def _partner(item: Node, candidates: list[Node], rules: Rules) -> Finding:
    """Take an equal candidate out of the list; the best finding if there is none."""
    findings = [compare_trees(item, candidate, rules) for candidate in candidates]
    if "equal" in findings:
        del candidates[findings.index("equal")]
        return "equal"
    if "undecided" in findings:
        return "undecided"
    return None if None in findings else "different"
