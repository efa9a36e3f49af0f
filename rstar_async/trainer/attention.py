"""The attention kernel of a training, and the mask of packed trees for each of them.

`ends` [rows, tokens] is where each token's subtree ends: q attends to k iff `k <= q < ends[k]`.
Layers with a sliding window attend to the last `window` tokens of a path only; `positions`
[rows, tokens], which count along each path, say how far back a token is.
"""

from collections.abc import Callable
from typing import Any

import torch

from rstar_async.config import TrainingConfig
from rstar_async.engines.exact_attention import EXACT, with_exact_attention

DENSE, FLEX = "sdpa", "flex_attention"
FULL, SLIDING = "full_attention", "sliding_attention"
LAYER_KINDS = {FULL, SLIDING}
SHORT_ROW = 256


def kernel_of(training: TrainingConfig) -> str:
    """transformers' name of the attention kernel. flex_attention has no backward pass on CPUs."""
    if training.tree_attention == "auto":
        return FLEX if torch.cuda.is_available() else DENSE
    return {"dense": DENSE, "flex": FLEX}[training.tree_attention]


def with_row_attention(model: Any, longest: int, *, in_bfloat16_on_cpu: bool) -> Any:
    """The model, with the kernel that trains it on rows of up to `longest` tokens soonest.

    torch's fused kernel for CPUs is slow backward over short rows in bfloat16: with plain products
    a whole step at 120 tokens takes four fifths of the time.
    """
    if in_bfloat16_on_cpu and longest <= SHORT_ROW:
        model.set_attn_implementation(EXACT)
    return with_exact_attention(model)


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
