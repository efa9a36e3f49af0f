"""Whether a PPM may guide search: its accuracy on held-out pairs against baselines without a PPM.

Two baselines order pairs without a PPM: the shorter step, and the step that the policy finds
likelier. A PPM that does not beat both beyond chance guides no search (`ppm.trust`).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from rstar_async.evaluation.intervals import difference_of_means, share_with_interval
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import ScoredPair, points_by_problem
from rstar_async.trainer.step_likelihood import StepLikelihood

# With fewer problems a lead cannot be told from chance.
FEWEST_PROBLEMS = 8
# Problems that the baselines are measured on, where there are as many.
BASELINE_PROBLEMS = 128
CALIBRATION_BINS = 10

Points = Mapping[str, Sequence[float]]


def measure_quality(
    pairs: Sequence[ScoredPair],
    heldout: Sequence[PackedTree],
    policy: Path,
    further: Sequence[PackedTree] = (),
) -> dict[str, Any]:
    """Shares of pairs in the right order, averaged by problem: of the PPM with its 95 % interval,
    of the baselines, and the lead over the better baseline. Empty without pairs.

    `trusted` says whether that lead is beyond chance; None if the problems are too few to tell.
    `pairs` are those of the `heldout` trees as the PPM scores them. `policy` is the folder of a
    policy that was not trained on these problems: one that was knows their right solutions, and
    orders their pairs far better than those of new problems. The baselines learn from no pair, so
    the `further` trees, of problems that the PPM was trained on, show as well how good they are,
    if `policy` has not seen those either; a few dozen held-out problems alone would say little.
    """
    if not pairs:
        return {}
    measured = _up_to(BASELINE_PROBLEMS, [*heldout, *further])
    baselines = {
        "shorter": _points(measured, _negative_lengths),
        "likelier": _points(measured, StepLikelihood(policy).of),
    }
    own = _by_problem(points_by_problem(pairs))
    accuracy = share_with_interval(list(own.values()))
    best = max(baselines, key=lambda name: fmean(_by_problem(baselines[name]).values()))
    lead = difference_of_means(own, _by_problem(baselines[best]))
    return {
        "pair_accuracy_interval": [round(accuracy.low, 4), round(accuracy.high, 4)],
        **{
            f"pair_accuracy_{name}": round(fmean(_by_problem(points).values()), 4)
            for name, points in baselines.items()
        },
        "pair_accuracy_lead": [round(value, 4) for value in (lead.mean, lead.low, lead.high)],
        "calibration_error": _calibration_error(pairs),
        "trusted": lead.low > 0 if len(own) >= FEWEST_PROBLEMS else None,
    }


def _by_problem(points: Points) -> dict[str, float]:
    return {problem: fmean(of_problem) for problem, of_problem in points.items()}


def _up_to(problems: int, trees: Sequence[PackedTree]) -> list[PackedTree]:
    """The trees of the first so many problems."""
    first = islice(dict.fromkeys(tree.problem_id for tree in trees if tree.pairs), problems)
    taken = frozenset(first)
    return [tree for tree in trees if tree.problem_id in taken]


def _points(
    trees: Sequence[PackedTree], values_of: Callable[[PackedTree], Mapping[int, float]]
) -> dict[str, list[float]]:
    """1 for a pair whose chosen step has the larger value, 1/2 for a tie, 0 otherwise; by problem.
    `values_of(tree)` are the values of steps by their scores."""
    points: dict[str, list[float]] = defaultdict(list)
    for tree in trees:
        values = values_of(tree)
        for chosen, rejected, _ in tree.pairs:
            good, bad = values[chosen], values[rejected]
            points[tree.problem_id].append((good > bad) + (good == bad) / 2)
    return points


def _negative_lengths(tree: PackedTree) -> dict[int, float]:
    return {score: start - stop for score, (start, stop) in tree.spans.items()}


def _calibration_error(pairs: Sequence[ScoredPair]) -> float:
    """Expected calibration error of sigmoid(raw) as the probability that a step is the better one,
    over both steps of all pairs."""
    raw = torch.tensor([score for pair in pairs for score in (pair.chosen, pair.rejected)])
    is_better = [True, False] * len(pairs)
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, better in zip(raw.sigmoid().tolist(), is_better, strict=True):
        bins[math.floor(probability * CALIBRATION_BINS)].append((probability, better))
    gaps = [
        len(steps) * abs(fmean(p for p, _ in steps) - fmean(better for _, better in steps))
        for steps in bins.values()
    ]
    return round(sum(gaps) / len(raw), 4)
