"""What a PPM is worth: accuracy of what it chooses among n samples, beside their majority."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeAlias

from benchmarks.differences import Difference, difference
from benchmarks.ppm_ablation.samples import Sampled, Solution
from rstar_async.config import PathRule, PPMConfig
from rstar_async.evaluation.selection import Chooser, Proposal, best_ppm, majority
from rstar_async.search.path_value import PATH_RULES, path_value
from rstar_async.search.paths import path_from_root
from rstar_async.trainer.answer_ordering import raw_scores

# For each problem, the PPM's values of the steps of every sample; none where it has no answer.
Values: TypeAlias = Sequence[Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Worth:
    """Accuracy of what is chosen in percent, and its lead over the samples' majority."""

    accuracy: float
    lead: Difference


def values_of(model: Any, sampled: Sequence[Sampled], settings: PPMConfig, scale: float) -> Values:
    """Score every step of every sample."""
    found: list[list[list[float]]] = []
    for one in sampled:
        raw = [
            raw_scores(model, tree, settings.max_length, settings.max_tokens) for tree in one.trees
        ]
        found.append([_steps(solution, raw[solution.tree], scale) for solution in one.solutions])
    return found


def _steps(solution: Solution, raw: Mapping[str, float], scale: float) -> list[float]:
    paths = path_from_root(solution.path) if solution.path else []
    known = all(path in raw for path in paths)
    return [math.tanh(raw[path] / scale) for path in paths] if known else []


def worth(
    sampled: Sequence[Sampled],
    values: Values,
    rule: PathRule,
    count: int,
    choose: Chooser = best_ppm,
) -> Worth:
    """Of choosing among `count` samples by the value of their paths, over all problems and disjoint
    groups of samples."""
    chosen = {
        str(number): fmean(_is_right(choose(_proposals(block, rule))) for block in blocks)
        for number, blocks in enumerate(_all_blocks(sampled, values, count))
    }
    return Worth(100 * fmean(chosen.values()), difference((majorities(sampled, count), chosen)))


def majorities(sampled: Sequence[Sampled], count: int) -> dict[str, float]:
    """By problem, the share of groups of `count` samples whose most frequent answer is right."""
    unvalued: Values = [[[]] * len(one.solutions) for one in sampled]
    return {
        str(number): fmean(_is_right(majority(_proposals(block, "last"))) for block in blocks)
        for number, blocks in enumerate(_all_blocks(sampled, unvalued, count))
    }


def accuracy_by_rule(
    sampled: Sequence[Sampled], values: Values, count: int
) -> dict[PathRule, float]:
    """The accuracy in percent of every rule for the value of a path."""
    return {rule: worth(sampled, values, rule, count).accuracy for rule in PATH_RULES}


Block: TypeAlias = Sequence[tuple[Solution, Sequence[float]]]


def _all_blocks(sampled: Sequence[Sampled], values: Values, count: int) -> list[list[Block]]:
    return [_blocks(one, steps, count) for one, steps in zip(sampled, values, strict=True)]


def _blocks(one: Sampled, values: Sequence[Sequence[float]], count: int) -> list[Block]:
    pairs = list(zip(one.solutions, values, strict=True))
    last = max(1, len(pairs) - count + 1)
    return [pairs[start : start + count] for start in range(0, last, count)]


def _proposals(block: Block, rule: PathRule) -> list[Proposal]:
    return [
        Proposal(one.answer, one.is_correct, path_value(rule, steps) if steps else None)
        for one, steps in block
        if one.path
    ]


def _is_right(chosen: Proposal | None) -> bool:
    return chosen is not None and chosen.is_correct is True
