"""What choosing by a PPM is worth: accuracy of its choice among n samples beside their majority."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeAlias

from benchmarks.differences import Difference, difference
from benchmarks.ppm_ablation.samples import Sampled, Solution
from rstar_async.config import PathRule, PPMConfig
from rstar_async.search.path_value import PATH_RULES, path_value
from rstar_async.search.paths import path_from_root
from rstar_async.trainer.answer_ordering import raw_scores

# For each problem, the PPM's values of the steps of every sample; none where it has no answer.
Values: TypeAlias = Sequence[Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Worth:
    """Accuracy of the PPM's choice in percent, and its lead over the samples' majority."""

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


def worth(sampled: Sequence[Sampled], values: Values, rule: PathRule, count: int) -> Worth:
    """Of choosing the best of `count` samples by the value of their paths, over all problems and
    disjoint groups of samples."""
    chosen = {
        str(number): fmean(_is_right(_best(block, rule)) for block in _blocks(one, steps, count))
        for number, (one, steps) in enumerate(zip(sampled, values, strict=True))
    }
    voted = majorities(sampled, count)
    return Worth(100 * fmean(chosen.values()), difference((voted, chosen)))


def majorities(sampled: Sequence[Sampled], count: int) -> dict[str, float]:
    """By problem, the share of groups of `count` samples whose most frequent answer is right."""
    return {
        str(number): fmean(
            _is_right(_majority([solution for solution, _ in block]))
            for block in _blocks(one, [[]] * len(one.solutions), count)
        )
        for number, one in enumerate(sampled)
    }


def accuracy_by_rule(
    sampled: Sequence[Sampled], values: Values, count: int
) -> dict[PathRule, float]:
    """The accuracy in percent of every rule for the value of a path."""
    return {rule: worth(sampled, values, rule, count).accuracy for rule in PATH_RULES}


Block: TypeAlias = Sequence[tuple[Solution, Sequence[float]]]


def _blocks(one: Sampled, values: Sequence[Sequence[float]], count: int) -> list[Block]:
    pairs = list(zip(one.solutions, values, strict=True))
    last = max(1, len(pairs) - count + 1)
    return [pairs[start : start + count] for start in range(0, last, count)]


def _best(block: Block, rule: PathRule) -> Solution | None:
    answered = [(solution, steps) for solution, steps in block if steps]
    return max(answered, key=lambda one: path_value(rule, one[1]), default=(None, ()))[0]


def _majority(solutions: Sequence[Solution]) -> Solution | None:
    answered = [solution for solution in solutions if solution.path]
    votes = Counter(solution.answer for solution in answered)
    return max(answered, key=lambda one: votes[one.answer], default=None)


def _is_right(solution: Solution | None) -> bool:
    return solution is not None and solution.is_correct
