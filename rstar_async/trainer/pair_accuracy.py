"""How well a PPM orders pairs, while it is trained and afterwards: 1 for a pair that is ordered
right, 1/2 for a tie, 0 otherwise."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import torch
from transformers import TrainerCallback

from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.scorer import scores

TREES_AT_ONCE = 16
# A sample is measured of what is trained on, and of all in the midst of a training: a pass over a
# whole set costs a third of an epoch over it.
SAMPLED_TREES = 64
MEASUREMENTS = 4


def ordering(raw: torch.Tensor, part: Forward) -> torch.Tensor:
    """Points [pairs] of a forward pass with these raw scores [scores]."""
    return (raw[part.chosen] - raw[part.rejected]).sign() / 2 + 0.5


@torch.no_grad()
def points_by_problem(
    model: Any, trees: Sequence[PackedTree], max_tokens: int
) -> dict[str, list[float]]:
    """The points of every pair, by the problem that it is of."""
    model.eval()
    points: dict[str, list[float]] = defaultdict(list)
    for first in range(0, len(trees), TREES_AT_ONCE):
        some = trees[first : first + TREES_AT_ONCE]
        for part in forwards(some, max_tokens):
            right = ordering(scores(model, part.to(model.device)).cpu(), part)
            for owner, point in zip(part.pair_trees.tolist(), right.tolist(), strict=True):
                points[some[owner].problem_id].append(point)
    return points


def pair_accuracy(points: Mapping[str, Sequence[float]]) -> float | None:
    """Share of all pairs that are ordered right; None without pairs."""
    every = [point for of_problem in points.values() for point in of_problem]
    return round(fmean(every), 4) if every else None


def accuracies(
    model: Any, trees: Sequence[PackedTree], heldout: Sequence[PackedTree], max_tokens: int
) -> dict[str, Any]:
    """What a trained PPM's metrics say of it."""
    points = points_by_problem(model, heldout, max_tokens)
    sample = [tree for tree in trees[:SAMPLED_TREES] if tree.pairs]
    by_problem = {problem: round(fmean(some), 4) for problem, some in points.items()}
    return {
        "pair_accuracy": pair_accuracy(points),
        "pair_accuracy_by_problem": round(fmean(by_problem.values()), 4) if by_problem else None,
        "pair_accuracy_train": pair_accuracy(points_by_problem(model, sample, max_tokens)),
    }


class Measurements(TrainerCallback):
    """What each step's log says of accuracy: of the pairs that the step learns from, as they were
    ordered before it; and `MEASUREMENTS` times in a training, of held-out ones."""

    def __init__(self, heldout: Sequence[PackedTree], max_tokens: int) -> None:
        self._heldout, self._max_tokens = heldout[:SAMPLED_TREES], max_tokens
        self._found: dict[str, float] = {}

    def learnt_from(self, points: float, pairs: float) -> None:
        if pairs:
            self._found["pair_accuracy_train"] = points / pairs

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        every = -(-state.max_steps // MEASUREMENTS)
        if state.global_step % every and state.global_step != state.max_steps:
            return
        share = pair_accuracy(points_by_problem(model, self._heldout, self._max_tokens))
        if share is not None:
            self._found["pair_accuracy"] = share

    def take(self) -> dict[str, float]:
        """What was found since it was last asked for."""
        found, self._found = self._found, {}
        return found
