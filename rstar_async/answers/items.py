"""Items of groups compared: in their order, or each with a partner of its own."""

from collections.abc import Sequence

from rstar_async.answers.kinds import Compare
from rstar_async.answers.rules import Finding, Rules, all_of
from rstar_async.answers.tree import Group, Node

MAX_PAIRINGS = 100


def in_order(
    gold: Sequence[Node], predicted: Sequence[Node], rules: Rules, compare: Compare
) -> Finding:
    """Each item with the one in its place."""
    if len(gold) != len(predicted):
        return "different"
    return all_of(
        _compare_items(g, p, rules, compare) for g, p in zip(gold, predicted, strict=True)
    )


def _compare_items(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """Inside a group, a group of one is not its item: `{{1}}` is not `{1}`."""
    if isinstance(gold, Group) != isinstance(predicted, Group):
        group = gold if isinstance(gold, Group) else predicted
        assert isinstance(group, Group)
        if group.kind in ("set", "square", "round", "list", "matrix"):
            return "different"
    return compare(gold, predicted, rules)


def in_any_order(
    gold: Sequence[Node], predicted: Sequence[Node], rules: Rules, compare: Compare
) -> Finding:
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
    return all_of(_partner(item, right, rules, compare) for item in left)


def _partner(item: Node, candidates: list[Node], rules: Rules, compare: Compare) -> Finding:
    """Take an equal candidate out of the list; the best finding if there is none."""
    findings = [_compare_items(item, candidate, rules, compare) for candidate in candidates]
    if "equal" in findings:
        del candidates[findings.index("equal")]
        return "equal"
    if "undecided" in findings:
        return "undecided"
    return None if None in findings else "different"
