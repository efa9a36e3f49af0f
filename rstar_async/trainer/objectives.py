"""What a PPM may be trained for (paper section 4, reward ablation), and the loss of each.

- `preference`: better and worse steps and trajectories, by the pairwise loss of Eq. 4;
- `pqm`: every visited step, by the squared error of tanh(raw / scale) against its Q;
- `orm`: every judged answer, by the cross-entropy of right against wrong.

All three give the same kind of model, and are measured on the same held-out pairs.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from rstar_async.config import Objective
from rstar_async.search.tree import ROOT_PATH, NodeStatus, Tree
from rstar_async.trainer.batches import Forward
from rstar_async.trainer.packing import Target

_JUDGED = (NodeStatus.LIVE, NodeStatus.ANSWER)


def targets_of(tree: Tree, objective: Objective) -> list[Target]:
    """The steps of a tree with what they should score; `preference` has pairs instead."""
    nodes = [node for node in tree.nodes.values() if node.path != ROOT_PATH and node.visits]
    if objective == "pqm":
        return [Target(node.path, node.q) for node in nodes if node.status in _JUDGED]
    if objective == "orm":
        verdicts = [(node.path, node.candidate.is_correct) for node in tree.answers()]
        return [Target(path, float(right)) for path, right in verdicts if right is not None]
    return []


def summed_loss(
    raw: torch.Tensor, part: Forward, objective: Objective, scale: float
) -> torch.Tensor:
    """The loss of one forward pass, to be divided by the `pair_count` of all passes of a step."""
    if objective == "preference":
        return -(F.logsigmoid(raw[part.chosen] - raw[part.rejected]) * part.weights).sum()
    scores = raw[part.pointed]
    if objective == "pqm":
        return F.mse_loss(torch.tanh(scores / scale), part.values, reduction="sum")
    return F.binary_cross_entropy_with_logits(scores, part.values, reduction="sum")


def pair_count(parts: Sequence[Forward], objective: Objective) -> torch.Tensor:
    """By what the sum is divided: the weights of all pairs, or the number of judged steps."""
    if objective == "preference":
        return torch.stack([part.weights.sum() for part in parts]).sum()
    return torch.tensor(float(sum(len(part.values) for part in parts)))
