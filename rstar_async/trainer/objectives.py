"""The objectives that a PPM can be trained by (paper section 4, ablation), and their losses.

- `preference`: better and worse steps and trajectories, by the pairwise loss of Eq. 4, by binary
  cross-entropy (the better 1, the worse 0, all steps on the way to the better 1), or by both;
- `pqm`: every visited step, by the squared error of tanh(raw / scale) against its Q;
- `orm`: every verified answer, by the cross-entropy of right against wrong.

All three give the same kind of model and are measured on the same held-out pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from rstar_async.config import Objective, PairLoss
from rstar_async.search.paths import ROOT_PATH
from rstar_async.search.tree import NodeStatus, Tree
from rstar_async.trainer.batches import Forward
from rstar_async.trainer.packing import Target

_SCORED = (NodeStatus.LIVE, NodeStatus.ANSWER)


def targets_of(tree: Tree, objective: Objective) -> list[Target]:
    """The target of each step of a tree; none for `preference`, which has pairs instead."""
    nodes = [node for node in tree.nodes.values() if node.path != ROOT_PATH and node.visits]
    if objective == "pqm":
        return [Target(node.path, node.q) for node in nodes if node.status in _SCORED]
    if objective == "orm":
        verdicts = [(node.path, node.candidate.is_correct) for node in tree.answers()]
        return [Target(path, float(right)) for path, right in verdicts if right is not None]
    return []


@dataclass(frozen=True, slots=True)
class PPMLoss:
    """The loss of an objective, summed over one forward pass, and what that sum is divided by.

    `scale` is that of tanh(raw / scale) in search; only `pqm` depends on it.
    """

    objective: Objective
    pair_loss: PairLoss = "pairwise"
    scale: float = 1.0

    def summed(self, raw: torch.Tensor, part: Forward) -> torch.Tensor:
        """The loss of a pass with the raw scores [scores], to be divided by the `weight` of all
        passes of an optimiser step; then neither packing nor padding changes it."""
        if self.objective == "preference":
            return self._of_pairs(raw, part)
        scores, values = raw[part.target_scores], part.target_values
        if self.objective == "pqm":
            losses = F.mse_loss(torch.tanh(scores / self.scale), values, reduction="none")
        else:
            losses = F.binary_cross_entropy_with_logits(scores, values, reduction="none")
        return (losses * part.target_weights).sum()

    def weight(self, parts: Sequence[Forward]) -> torch.Tensor:
        """The weights of all pairs, or of all targets."""
        of_pairs = self.objective == "preference"
        weights = [part.weights if of_pairs else part.target_weights for part in parts]
        return torch.cat(weights).sum()

    def _of_pairs(self, raw: torch.Tensor, part: Forward) -> torch.Tensor:
        better, worse = raw[part.better], raw[part.worse]
        pairwise = -(F.logsigmoid(better - worse) * part.weights).sum()
        if self.pair_loss == "pairwise":
            return pairwise
        # Absolute labels make the scores of steps with different prefixes comparable.
        absolute = ((F.softplus(-better) / 2 + F.softplus(worse)) * part.weights).sum()
        good = (F.softplus(-raw[part.target_scores]) * part.target_weights).sum() / 2
        cross_entropy = (absolute + good) / 2
        return cross_entropy if self.pair_loss == "bce" else pairwise + cross_entropy
