"""Whether a PPM may be trusted: how it orders held-out pairs, against what needs no PPM.

Two baselines order the same pairs: the shorter step, and the step that the policy finds likelier. A
PPM that is not better than both, beyond chance, guides nothing (`ppm.trust`).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from rstar_async.evaluation.intervals import Share, mean_difference, share_with_interval
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import TREES_AT_ONCE, points_by_problem
from rstar_async.trainer.scorer import scores

# Fewer problems say nothing about chance.
FEWEST_PROBLEMS = 8
CALIBRATION_BINS = 10

Points = Mapping[str, Sequence[float]]


def measure_quality(
    model: Any, policy: Path, heldout: Sequence[PackedTree], max_tokens: int
) -> dict[str, Any]:
    """Shares of held-out pairs ordered right, averaged by problem: of the PPM with its 95 %
    interval, of the baselines, and the lead over the better of the two. `trusted` says whether
    that lead is beyond chance; None if the problems are too few. Empty without held-out pairs."""
    points = points_by_problem(model, heldout, max_tokens)
    if not points:
        return {}
    baselines = {
        "shorter": _points(heldout, _negative_lengths),
        "likelier": _points(heldout, _LogProbabilities(policy)),
    }
    own = _by_problem(points)
    accuracy = share_with_interval(list(own.values()))
    best = max(baselines, key=lambda name: fmean(_by_problem(baselines[name]).values()))
    lead = _lead(own, _by_problem(baselines[best]))
    return {
        "pair_accuracy_interval": [round(accuracy.low, 4), round(accuracy.high, 4)],
        **{
            f"pair_accuracy_{name}": round(fmean(_by_problem(found).values()), 4)
            for name, found in baselines.items()
        },
        "pair_accuracy_lead": [round(value, 4) for value in (lead.mean, lead.low, lead.high)],
        "calibration_error": _calibration_error(model, heldout, max_tokens),
        "trusted": lead.low > 0 if len(own) >= FEWEST_PROBLEMS else None,
    }


def _by_problem(points: Points) -> dict[str, float]:
    return {problem: fmean(found) for problem, found in points.items()}


def _lead(ones: Mapping[str, float], others: Mapping[str, float]) -> Share:
    """The mean difference by problem; its interval within [-1, 1], for one problem is no sample."""
    common = sorted(ones.keys() & others.keys())
    lead = mean_difference([ones[p] for p in common], [others[p] for p in common])
    return Share(lead.mean, max(-1.0, lead.low), min(1.0, lead.high))


def _points(trees: Sequence[PackedTree], value: Any) -> dict[str, list[float]]:
    """1 for a pair whose chosen step has the larger value, 1/2 for a tie, 0 otherwise; by problem.
    `value(tree, span)` is the value of a step."""
    points: dict[str, list[float]] = defaultdict(list)
    for tree in trees:
        for chosen, rejected, _ in tree.pairs:
            good, bad = value(tree, tree.spans[chosen]), value(tree, tree.spans[rejected])
            points[tree.problem_id].append((good > bad) + (good == bad) / 2)
    return points


def _negative_lengths(tree: PackedTree, span: tuple[int, int]) -> float:
    return span[0] - span[1]


class _LogProbabilities:
    """The mean log probability of a step's tokens under the policy."""

    def __init__(self, policy: Path) -> None:
        self._model: Any = AutoModelForCausalLM.from_pretrained(policy, dtype="float32").eval()

    @torch.no_grad()
    def __call__(self, tree: PackedTree, span: tuple[int, int]) -> float:
        start, stop = span
        path = [k for k in range(stop) if tree.ends[k] > stop - 1]
        ids = torch.tensor([[tree.input_ids[k] for k in path]])
        tokens = stop - start
        logits = self._model(ids).logits[0, -tokens - 1 : -1].log_softmax(-1)
        return float(logits.gather(1, ids[0, -tokens:, None]).mean())


@torch.no_grad()
def _calibration_error(model: Any, trees: Sequence[PackedTree], max_tokens: int) -> float:
    """Expected calibration error of sigmoid(raw) as the probability that a step is the better one,
    over the last tokens of all steps of pairs."""
    found: list[tuple[float, bool]] = []
    for first in range(0, len(trees), TREES_AT_ONCE):
        for part in forwards(trees[first : first + TREES_AT_ONCE], max_tokens):
            raw = scores(model, part.to(model.device)).sigmoid().cpu()
            found += [(float(p), True) for p in raw[part.chosen]]
            found += [(float(p), False) for p in raw[part.rejected]]
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, is_better in found:
        bins[math.floor(probability * CALIBRATION_BINS)].append((probability, is_better))
    gaps = [
        len(some) * abs(fmean(p for p, _ in some) - fmean(better for _, better in some))
        for some in bins.values()
    ]
    return round(sum(gaps) / len(found), 4)
