"""Two answers compared, each by what its tree is: a number, a set, a relation, a group, a word."""

from rstar_async.answers import real_sets
from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.families import compare_families
from rstar_async.answers.groups import compare_groups
from rstar_async.answers.items import in_any_order, in_order
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
from rstar_async.answers.relations import compare_relations
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    SCALARS,
    ZERO,
    Choice,
    Congruence,
    Const,
    Date,
    Group,
    Node,
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
from rstar_async.answers.walking import symbols

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
    return compare_groups(gold, predicted, rules, compare_trees)


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
        pairing = in_order if gold.kind in ("without", "builder") else in_any_order
        same = pairing(gold.items, predicted.items, rules, compare_trees)
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
    return in_order(sides[0], sides[1], rules, compare_trees)
