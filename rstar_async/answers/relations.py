"""Relations compared: named values by their values, equations up to a constant factor."""

from rstar_async.answers.closeness import compare_ratio
from rstar_async.answers.kinds import Compare
from rstar_async.answers.names import is_named
from rstar_async.answers.rules import Finding, Rules, all_of
from rstar_async.answers.tree import SCALARS, Call, Node, Num, Quantity, Relation, Sym, add, negate
from rstar_async.answers.walking import replace, symbols

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}


def compare_relations(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    if not (isinstance(gold, Relation) and isinstance(predicted, Relation)):
        other = predicted if isinstance(gold, Relation) else gold
        return "different" if isinstance(other, (*SCALARS, Quantity)) else None
    if gold.operator == predicted.operator == "=":
        return _compare_equations(gold, predicted, rules, compare)
    gold, predicted = _smaller_first(gold), _smaller_first(predicted)
    if gold.operator != predicted.operator:
        return "undecided"
    found = all_of(
        compare(one, other, rules)
        for one, other in ((gold.left, predicted.left), (gold.right, predicted.right))
    )
    if found == "equal" or not _are_scalar(gold, predicted):
        return found if found == "equal" else None
    same = compare_ratio(_difference(gold), _difference(predicted))
    return "equal" if same is not None and same > 0 else None


def _compare_equations(
    gold: Relation, predicted: Relation, rules: Rules, compare: Compare
) -> Finding:
    """Named values by their values; other equations as the same up to a constant factor."""
    predicted = _same_argument(gold, predicted)
    left = compare(gold.left, predicted.left, rules)
    if left == "equal" and (is_named(gold) or isinstance(gold.right, Num)):
        return compare(gold.right, predicted.right, rules)
    if _are_scalar(gold, predicted):
        if compare_ratio(_difference(gold), _difference(predicted)) is not None:
            return "equal"
        are_calls = isinstance(gold.left, Call) and isinstance(predicted.left, Call)
        return "different" if are_calls and left == "different" else None
    right = compare(gold.right, predicted.right, rules)
    return "equal" if left == right == "equal" else None


def _same_argument(gold: Relation, predicted: Relation) -> Relation:
    """`W(x) = 2x` says of W what `W(n) = 2n` does."""
    match gold.left, predicted.left:
        case (
            Call(function=one, arguments=(Sym() as wanted,)),
            Call(function=other, arguments=(Sym() as argument,)),
        ) if one == other and wanted.name not in symbols(predicted.right):
            renamed = replace(predicted, argument, wanted)
            return renamed if isinstance(renamed, Relation) else predicted
    return predicted


def _are_scalar(gold: Relation, predicted: Relation) -> bool:
    parts = (gold.left, gold.right, predicted.left, predicted.right)
    return all(isinstance(part, SCALARS) for part in parts)


def _difference(relation: Relation) -> Node:
    return add(relation.left, negate(relation.right))


def _smaller_first(relation: Relation) -> Relation:
    if relation.operator not in (">", ">="):
        return relation
    return Relation(_MIRRORED[relation.operator], relation.right, relation.left)
