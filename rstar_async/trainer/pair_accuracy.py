"""How well a PPM orders pairs, during training and after it: 1 for a pair in the right order, 1/2
for a tie, 0 otherwise."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from transformers import TrainerCallback

from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.scorer import scores

TREES_PER_CHUNK = 16
# Training trees, and held-out trees during training, are sampled: scoring a whole set costs a third
# of an epoch over it.
SAMPLED_TREES = 64
MEASUREMENTS = 4


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """The raw scores of a pair's two steps, at their last tokens, and where the steps are."""

    problem_id: str
    search_id: str
    chosen_path: str
    rejected_path: str
    chosen: float
    rejected: float

    @property
    def margin(self) -> float:
        return self.chosen - self.rejected

    @property
    def points(self) -> float:
        return (self.chosen > self.rejected) + (self.chosen == self.rejected) / 2


def ordering(raw: torch.Tensor, part: Forward) -> torch.Tensor:
    """Points [pairs] of a forward pass with these raw scores [scores]."""
    return (raw[part.chosen] - raw[part.rejected]).sign() / 2 + 0.5


@torch.no_grad()
def score_pairs(model: Any, trees: Sequence[PackedTree], max_tokens: int) -> list[ScoredPair]:
    """Score all pairs of `trees`, in passes of at most `max_tokens`."""
    model.eval()
    scored: list[ScoredPair] = []
    for first in range(0, len(trees), TREES_PER_CHUNK):
        chunk = trees[first : first + TREES_PER_CHUNK]
        for part in forwards(chunk, max_tokens):
            raw = scores(model, part.to(model.device)).cpu()
            chosen, rejected = raw[part.chosen].tolist(), raw[part.rejected].tolist()
            for places, good, bad in zip(_places(chunk, part), chosen, rejected, strict=True):
                scored.append(ScoredPair(*places, good, bad))
    return scored


def _places(trees: Sequence[PackedTree], part: Forward) -> Iterator[tuple[str, str, str, str]]:
    """Problem, search, chosen and rejected path of each pair of a pass."""
    paths = [iter(tree.pair_paths) for tree in trees]
    for number in part.pair_trees.tolist():
        yield trees[number].problem_id, trees[number].search_id, *next(paths[number])


def points_by_problem(pairs: Sequence[ScoredPair]) -> dict[str, list[float]]:
    """The points of every pair, grouped by its problem."""
    points: dict[str, list[float]] = defaultdict(list)
    for pair in pairs:
        points[pair.problem_id].append(pair.points)
    return points


def pair_accuracy(pairs: Sequence[ScoredPair]) -> float | None:
    """Share of the pairs in the right order; None without pairs."""
    return round(fmean(pair.points for pair in pairs), 4) if pairs else None


def accuracies(heldout: Sequence[ScoredPair], trained_on: Sequence[ScoredPair]) -> dict[str, Any]:
    """The accuracies among a trained PPM's metrics."""
    by_problem = [round(fmean(points), 4) for points in points_by_problem(heldout).values()]
    return {
        "pair_accuracy": pair_accuracy(heldout),
        "pair_accuracy_by_problem": round(fmean(by_problem), 4) if by_problem else None,
        "pair_accuracy_train": pair_accuracy(trained_on),
    }


def training_sample(trees: Sequence[PackedTree]) -> list[PackedTree]:
    """The trees that the accuracy on training pairs is measured on."""
    return [tree for tree in trees[:SAMPLED_TREES] if tree.pairs]


class AccuracyLog(TrainerCallback):
    """The accuracies in each step's log: on the pairs of the step, before it learns from them; and
    `MEASUREMENTS` times in a training on held-out pairs."""

    def __init__(self, heldout: Sequence[PackedTree], max_tokens: int) -> None:
        self._heldout, self._max_tokens = heldout[:SAMPLED_TREES], max_tokens
        self._pending: dict[str, float] = {}

    def add_step(self, points: float, pairs: float) -> None:
        if pairs:
            self._pending["pair_accuracy_train"] = points / pairs

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        every = -(-state.max_steps // MEASUREMENTS)
        if state.global_step % every and state.global_step != state.max_steps:
            return
        accuracy = pair_accuracy(score_pairs(model, self._heldout, self._max_tokens))
        if accuracy is not None:
            self._pending["pair_accuracy"] = accuracy

    def take(self) -> dict[str, float]:
        """What was measured since the last call."""
        taken, self._pending = self._pending, {}
        return taken
