"""The reference for packing: a separate forward pass of the stock model for every scored token."""

import torch
import torch.nn.functional as F


def unpacked_scores(model, part):
    """Raw scores in the order of `part.scored`, each from its own unpadded sequence."""
    return torch.cat([_score(model, _path(part, row, column)) for row, column in part.scored])


def unpacked_loss(model, part):
    raw = unpacked_scores(model, part)
    return -(F.logsigmoid(raw[part.better] - raw[part.worse]) * part.weights).sum()


def _path(part, row, column):
    """The ids that the token at `column` attends to: the path to it."""
    ends = part.ends[row]
    return [int(part.input_ids[row, k]) for k in range(column + 1) if column < ends[k]]


def _score(model, ids):
    # One row and no attention mask: the stock forward reads the last token.
    return model(torch.tensor([ids])).logits[0]
