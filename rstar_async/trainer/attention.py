"""The attention mask of packed trees, for each attention kernel.

`ends` [rows, tokens] is where each token's subtree ends: q attends to k iff `k <= q < ends[k]`.
Layers with a sliding window attend to the last `window` tokens of a path only; `positions`
[rows, tokens], which count along each path, say how far back a token is.
"""

from collections.abc import Callable
from typing import Any

import torch

from rstar_async.config import TrainingConfig
from rstar_async.engines.exact_attention import EXACT

DENSE, FLEX = "sdpa", "flex_attention"
FULL, SLIDING = "full_attention", "sliding_attention"
LAYER_KINDS = {FULL, SLIDING}


def kernel_of(training: TrainingConfig) -> str:
    """transformers' name of the attention kernel. flex_attention has no backward pass on CPUs."""
    if training.tree_attention == "auto":
        return FLEX if torch.cuda.is_available() else DENSE
    return {"dense": DENSE, "flex": FLEX}[training.tree_attention]


def attention_masks(config: Any, ends: torch.Tensor, positions: torch.Tensor) -> Any:
    """What a model of this config takes as its attention mask: one, or one for each kind of layer
    where the kinds differ in what they attend to."""
    window = getattr(config, "sliding_window", None)

    def mask(window: int | None) -> Any:
        if config._attn_implementation == FLEX:
            return block_mask(ends, positions, window)
        dense = tree_mask(ends, positions, window)
        return added(dense) if config._attn_implementation == EXACT else dense

    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return mask(window)
    windows = {FULL: None, SLIDING: window}
    return {kind: mask(windows[kind]) for kind in dict.fromkeys(kinds)}


def tree_mask(
    ends: torch.Tensor, positions: torch.Tensor | None = None, window: int | None = None
) -> torch.Tensor:
    """[rows, 1, queries, keys], True where q attends to k.

    Padding has end 0, so no token attends to it. It attends to itself: a row of the mask must not
    be empty.
    """
    index = torch.arange(ends.shape[1], device=ends.device)
    attends = (index[None, :] <= index[:, None]) & (index[None, :, None] < ends[:, None, :])
    if window is not None and positions is not None:
        attends &= positions[:, :, None] - positions[:, None, :] < window
    own = index[None, :] == index[:, None]
    return (attends | own)[:, None]


def added(mask: torch.Tensor) -> torch.Tensor:
    """The mask as what is added to attention scores."""
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, lowest)


def block_mask(
    ends: torch.Tensor, positions: torch.Tensor | None = None, window: int | None = None
) -> Any:
    """The same as a `BlockMask`, which skips blocks in which no token attends to another."""
    from torch.nn.attention.flex_attention import create_block_mask

    rows, length = ends.shape
    rule = mask_rule(ends, positions, window)
    return create_block_mask(rule, rows, None, length, length, device=str(ends.device))


def mask_rule(
    ends: torch.Tensor, positions: torch.Tensor | None = None, window: int | None = None
) -> Callable[..., torch.Tensor]:
    """The same as a function of (row, head, query, key), the form that flex_attention takes."""

    def rule(row: Any, _: Any, query: Any, key: Any) -> torch.Tensor:
        attends: torch.Tensor = (key <= query) & (query < ends[row, key])
        if window is not None and positions is not None:
            attends = attends & (positions[row, query] - positions[row, key] < window)
        own: torch.Tensor = key == query
        return attends | own

    return rule
