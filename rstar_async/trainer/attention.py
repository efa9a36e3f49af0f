"""Who sees whom in packed trees, as the two kinds of attention want to be told.

`ends` [rows, tokens] is the tree mask's integer: token q sees token k iff `k <= q < end[k]`.
"""

from collections.abc import Callable
from typing import Any

import torch

from rstar_async.config import TrainingConfig

DENSE, FLEX = "sdpa", "flex_attention"


def kernel_of(computing: TrainingConfig) -> str:
    """transformers' name for the attention to load the model with. The CPU has no backward pass
    of flex_attention."""
    if computing.tree_attention == "auto":
        return FLEX if torch.cuda.is_available() else DENSE
    return {"dense": DENSE, "flex": FLEX}[computing.tree_attention]


def visible(ends: torch.Tensor, kernel: str) -> Any:
    """The mask of a forward pass for that kernel."""
    return block_mask(ends) if kernel == FLEX else tree_mask(ends)


def tree_mask(ends: torch.Tensor) -> torch.Tensor:
    """[rows, 1, queries, keys], True where q sees k.

    Padding has end 0: nobody sees it. It sees itself, for a row of the mask must not be empty.
    """
    index = torch.arange(ends.shape[1], device=ends.device)
    causal = index[None, :] <= index[:, None]
    within = index[None, :, None] < ends[:, None, :]
    own = index[None, :] == index[:, None]
    return ((causal & within) | own)[:, None]


def block_mask(ends: torch.Tensor) -> Any:
    """The same as a `BlockMask`, which keeps only blocks of tokens that see each other."""
    from torch.nn.attention.flex_attention import create_block_mask

    rows, length = ends.shape
    return create_block_mask(sees(ends), rows, None, length, length, device=str(ends.device))


def sees(ends: torch.Tensor) -> Callable[..., torch.Tensor]:
    """The rule, asked for one (row, head, query, key) at a time."""

    def rule(row: Any, _: Any, query: Any, key: Any) -> torch.Tensor:
        seen: torch.Tensor = ((key <= query) & (query < ends[row, key])) | (key == query)
        return seen

    return rule
