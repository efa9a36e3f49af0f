"""How well a PPM orders whole solutions, by each rule for the value of a path.

Measured on held-out problems after training. The rule that best orders their right answers above
their wrong ones goes into the manifest, and searches use it (`search.path_value`).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import Any

import torch

from rstar_async.config import PathRule
from rstar_async.data.preferences import PairRules
from rstar_async.search.path_value import DEFAULT_RULE, PATH_RULES, path_value
from rstar_async.search.paths import path_from_root, with_ancestors
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.dataset import StoredTree, labelled_tree
from rstar_async.trainer.packing import LabelledTree, Target, pack
from rstar_async.trainer.scorer import scores

# With fewer problems the default rule is used.
FEWEST_PROBLEMS = 8


@dataclass(frozen=True, slots=True)
class AnsweredTree:
    """A tree with right and wrong answers: `verdicts` by path; `tree` has their steps."""

    tree: LabelledTree
    verdicts: Mapping[str, bool]


def answered_tree(stored: StoredTree, encoder: Encoder) -> AnsweredTree | None:
    """The verified answers of a tree; None unless some are right and some are wrong."""
    verdicts = {
        node.path: node.candidate.is_correct
        for node in stored.tree.answers()
        if node.candidate.is_correct is not None
    }
    if len(set(verdicts.values())) < 2:
        return None
    targets = [Target(path, float(right)) for path, right in verdicts.items()]
    return AnsweredTree(labelled_tree(stored, encoder, PairRules(), targets), verdicts)


def measure_path_rules(
    model: Any, trees: Sequence[AnsweredTree], *, max_length: int, max_tokens: int, scale: float
) -> dict[str, Any]:
    """The best rule as `path_rule`, and for each rule the share of pairs of a right and a wrong
    answer that it orders right, by problem, averaged over `path_rule_problems` problems."""
    answers: dict[str, list[tuple[list[float], bool]]] = defaultdict(list)
    for answered in trees:
        raw = raw_scores(model, answered.tree, max_length, max_tokens)
        for path, right in answered.verdicts.items():
            steps = path_from_root(path)
            if all(step in raw for step in steps):
                values = [math.tanh(raw[step] / scale) for step in steps]
                answers[answered.tree.problem_id].append((values, right))
    shares = {rule: _shares(answers, rule) for rule in PATH_RULES}
    problems = len(shares[DEFAULT_RULE])
    ordered = {
        rule: round(fmean(by_problem), 4) for rule, by_problem in shares.items() if by_problem
    }
    return {
        "path_rule": best_rule(ordered, problems),
        "path_rule_problems": problems,
        **{f"answers_ordered_{rule}": share for rule, share in ordered.items()},
    }


def best_rule(ordered: Mapping[PathRule, float], problems: int) -> PathRule:
    """The rule with the largest share; the default rule in a tie or with too few problems."""
    if problems < FEWEST_PROBLEMS:
        return DEFAULT_RULE
    return max(ordered, key=lambda rule: (ordered[rule], rule == DEFAULT_RULE))


def _shares(
    answers: Mapping[str, Sequence[tuple[list[float], bool]]], rule: PathRule
) -> list[float]:
    """For each problem, the share of its pairs of a right and a wrong answer in the right order."""
    shares: list[float] = []
    for of_problem in answers.values():
        right = [path_value(rule, values) for values, is_right in of_problem if is_right]
        wrong = [path_value(rule, values) for values, is_right in of_problem if not is_right]
        points = [(good > bad) + (good == bad) / 2 for good, bad in product(right, wrong)]
        if points:
            shares.append(fmean(points))
    return shares


@torch.no_grad()
def raw_scores(
    model: Any, tree: LabelledTree, max_length: int, max_tokens: int
) -> dict[str, float]:
    """Raw scores of all steps by path; steps that do not fit are left out."""
    model.eval()
    targets = [Target(path, 0.0) for path in sorted(with_ancestors(tree.steps))]
    packed, kept = pack(replace(tree, pairs=[], targets=targets), max_length, max_tokens)
    labels = iter(kept)
    raw: dict[str, float] = {}
    for part in packed:
        (forward,) = forwards([part], max_tokens)
        step_scores = scores(model, forward.to(model.device))[
            forward.target_scores.to(model.device)
        ]
        for label, value in zip(labels, step_scores.tolist(), strict=False):
            assert isinstance(label, Target)
            raw[label.path] = value
    return raw
