"""Picking the preferences that the PPM is trained on (paper section 3.3 and Eq. 4). Pure.

Two kinds. A step pair compares two children of one node: the best by Q that lead to a right answer
against the worst that lead to a wrong one. A trajectory pair compares two whole solutions. A tree
whose answers are all right or all wrong says nothing about better and worse, and gives no pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Literal

from rstar_async.data.trajectories import mean_q
from rstar_async.search.tree import NodeStatus, Tree, TreeNode

PairKind = Literal["step", "trajectory"]
# Two of each side; a side with a single member is met by up to four of the other (reference code).
SIDE, LONE_SIDE_MEETS = 2, 4


@dataclass(frozen=True, slots=True)
class Preference:
    """`chosen` is better than `rejected`, both paths of one tree.

    `weight` is 1 / (chosen x rejected) of its group, so that every group counts the same.
    """

    chosen: str
    rejected: str
    kind: PairKind
    weight: float


@dataclass(frozen=True, slots=True)
class PairRules:
    """Filters and kinds of pairs. The defaults are the paper's.

    `min_margin` (of Q) and `min_edit_distance` (characters) are the reference's filters.
    `whole_trajectories`: also compare whole solutions (the reference does not).
    `errors_are_negative`: failed steps may be rejected (neither does that).
    """

    min_margin: float = 0.0
    min_edit_distance: int = 0
    errors_are_negative: bool = False
    whole_trajectories: bool = True


PAPER = PairRules()


def preferences(tree: Tree, rules: PairRules = PAPER) -> list[Preference]:
    """All pairs of one tree: step pairs breadth first, then trajectory pairs."""
    outcomes = _outcomes(tree, rules)
    if not all(outcomes[tree.root.path]):
        return []
    whole = _trajectory_pairs(tree) if rules.whole_trajectories else []
    return [*_step_pairs(tree, outcomes, rules), *whole]


def _outcomes(tree: Tree, rules: PairRules) -> dict[str, tuple[bool, bool]]:
    """Per node: whether a right and whether a wrong answer lies at or below it."""
    outcomes: dict[str, tuple[bool, bool]] = {}
    for node in sorted(tree.nodes.values(), key=lambda n: -n.depth):
        below = [outcomes[child.path] for child in node.children]
        right, wrong = _own_outcome(node, rules)
        outcomes[node.path] = (
            right or any(o[0] for o in below),
            wrong or any(o[1] for o in below),
        )
    return outcomes


def _own_outcome(node: TreeNode, rules: PairRules) -> tuple[bool, bool]:
    if node.status is NodeStatus.ANSWER:
        return node.candidate.is_correct is True, node.candidate.is_correct is False
    failed = node.status is NodeStatus.CODE_ERROR
    return False, failed and rules.errors_are_negative


def _step_pairs(
    tree: Tree, outcomes: dict[str, tuple[bool, bool]], rules: PairRules
) -> Iterator[Preference]:
    queue = [tree.root]
    for node in queue:
        right = [child for child in node.children if outcomes[child.path][0]]
        wrong = [child for child in node.children if outcomes[child.path][1]]
        if not right or not wrong:
            continue
        yield from _group(node, right, wrong, outcomes, rules)
        queue.extend(child for child in node.children if all(outcomes[child.path]))


def _group(
    node: TreeNode,
    right: Sequence[TreeNode],
    wrong: Sequence[TreeNode],
    outcomes: dict[str, tuple[bool, bool]],
    rules: PairRules,
) -> Iterator[Preference]:
    """The pairs among the children of `node`; the weight counts them before any is filtered."""
    chosen, rejected = _sides(sorted(right, key=lambda n: -n.q), sorted(wrong, key=lambda n: n.q))
    weight = 1 / (len(chosen) * len(rejected))
    for good, bad in product(chosen, rejected):
        if _is_preferred(good, bad, outcomes) and _passes(good, bad, rules):
            yield Preference(good.path, bad.path, "step", weight)


def _sides(
    chosen: list[TreeNode], rejected: list[TreeNode]
) -> tuple[list[TreeNode], list[TreeNode]]:
    """2 against 2, or 1 against up to 4 when there is only one on a side."""
    most_chosen = LONE_SIDE_MEETS if len(rejected) == 1 else SIDE
    most_rejected = LONE_SIDE_MEETS if len(chosen) == 1 else SIDE
    return chosen[:most_chosen], rejected[:most_rejected]


def _is_preferred(good: TreeNode, bad: TreeNode, outcomes: dict[str, tuple[bool, bool]]) -> bool:
    """Higher Q, and a higher mean Q along its best continuation than `bad` has along its worst."""
    if good.q <= bad.q:
        return False
    return _best_continuation(good, outcomes) > _worst_continuation(bad, outcomes)


def _best_continuation(node: TreeNode, outcomes: dict[str, tuple[bool, bool]]) -> float:
    """Mean Q from `node` down, at each step to the best child that leads to a right answer."""
    values = [node.q]
    while right := [child for child in node.children if outcomes[child.path][0]]:
        node = max(right, key=lambda n: n.q)
        values.append(node.q)
    return fmean(values)


def _worst_continuation(node: TreeNode, outcomes: dict[str, tuple[bool, bool]]) -> float:
    values = [node.q]
    while wrong := [child for child in node.children if outcomes[child.path][1]]:
        node = min(wrong, key=lambda n: n.q)
        values.append(node.q)
    return fmean(values)


def _passes(good: TreeNode, bad: TreeNode, rules: PairRules) -> bool:
    """The filters of `sample_rm_data.py`: margin in Q, edit distance in characters."""
    if good.q - bad.q < rules.min_margin:
        return False
    texts = good.candidate.text, bad.candidate.text
    return not rules.min_edit_distance or edit_distance(*texts) >= rules.min_edit_distance


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def _trajectory_pairs(tree: Tree) -> list[Preference]:
    """The 2 best right solutions against the 2 worst wrong ones, by mean Q; prefixes may differ."""
    answers = sorted(tree.answers(), key=mean_q)
    chosen = [a for a in reversed(answers) if a.candidate.is_correct is True][:SIDE]
    rejected = [a for a in answers if a.candidate.is_correct is False][:SIDE]
    weight = 1 / max(1, len(chosen) * len(rejected))
    return [
        Preference(good.path, bad.path, "trajectory", weight)
        for good, bad in product(chosen, rejected)
        if mean_q(good) > mean_q(bad)
    ]
