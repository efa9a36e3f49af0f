"""The attention mask of packed trees, for the two attention kernels.

`ends` [rows, tokens] is where each token's subtree ends: q attends to k iff `k <= q < ends[k]`.
"""

from collections.abc import Callable
from typing import Any

import torch

from rstar_async.config import TrainingConfig

DENSE, FLEX = "sdpa", "flex_attention"


def kernel_of(training: TrainingConfig) -> str:
    """transformers' name of the attention kernel. flex_attention has no backward pass on CPUs."""
    if training.tree_attention == "auto":
        return FLEX if torch.cuda.is_available() else DENSE
    return {"dense": DENSE, "flex": FLEX}[training.tree_attention]


def attention_mask(ends: torch.Tensor, kernel: str) -> Any:
    """The mask of a forward pass in the form that `kernel` takes."""
    return block_mask(ends) if kernel == FLEX else tree_mask(ends)


def tree_mask(ends: torch.Tensor) -> torch.Tensor:
    """[rows, 1, queries, keys], True where q attends to k.

    Padding has end 0, so no token attends to it. It attends to itself: a row of the mask must not
    be empty.
    """
    index = torch.arange(ends.shape[1], device=ends.device)
    causal = index[None, :] <= index[:, None]
    within = index[None, :, None] < ends[:, None, :]
    own = index[None, :] == index[:, None]
    return ((causal & within) | own)[:, None]


def block_mask(ends: torch.Tensor) -> Any:
    """The same as a `BlockMask`, which skips blocks in which no token attends to another."""
    from torch.nn.attention.flex_attention import create_block_mask

    rows, length = ends.shape
    return create_block_mask(mask_rule(ends), rows, None, length, length, device=str(ends.device))


def mask_rule(ends: torch.Tensor) -> Callable[..., torch.Tensor]:
    """The same as a function of (row, head, query, key), the form that flex_attention takes."""

    def rule(row: Any, _: Any, query: Any, key: Any) -> torch.Tensor:
        attends: torch.Tensor = ((key <= query) & (query < ends[row, key])) | (key == query)
        return attends

    return rule
