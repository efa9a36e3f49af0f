"""Ragged batches through a transformers model: one row of tokens, each attending to its own past.

All tokens of a forward pass stand in one row, [1, tokens], so no layer computes padding. Which
keys and values a token sees is decided here, in an attention function registered with
transformers, which the pass reaches as a keyword argument of the model's forward.

Two kinds of tokens: those of *segments* (new prompt tokens after a known past) and one next token
for each decoding sample (see `kv_cache.py`).
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from transformers import AttentionInterface

from workers.engines.local.kv_cache import KVCachePass

ATTENTION = "rstar_packed"
# What some models ask of attention beyond masks and a scale.
UNSUPPORTED = ("softcap", "s_aux", "sliding_window", "position_bias")


@dataclass
class Segment:
    """New tokens of one sequence after `past` known ones.

    `kv` [layers, 2, heads, past + new, size] comes with the past filled in and leaves the pass
    with the new tokens' keys and values too. `mask` [new, past + new] says which keys each new
    token attends to; None means causally.
    """

    ids: list[int]
    past: int
    kv: torch.Tensor
    positions: list[int]
    mask: torch.Tensor | None = None
    _mask: torch.Tensor | None = field(default=None, init=False)

    def part(self, start: int, end: int) -> torch.Tensor:
        """Keys and values of tokens `start` to `end` of the whole sequence."""
        return self.kv[..., start:end, :]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """[new, query heads, size] and [new, heads, size] twice to [new, query heads, size]."""
        kv = self.kv[layer]
        kv[0, :, self.past :] = key.transpose(0, 1)
        kv[1, :, self.past :] = value.transpose(0, 1)
        new, heads, size = key.shape
        repeats = query.shape[1] // heads
        grouped = query.view(new, heads, repeats, size).permute(1, 2, 0, 3)
        output = F.scaled_dot_product_attention(
            grouped.reshape(1, heads, repeats * new, size),
            kv[None, 0],
            kv[None, 1],
            attn_mask=self._mask_for(repeats),
            scale=scale,
        )
        return output.view(heads, repeats, new, size).permute(2, 0, 1, 3).reshape(new, -1, size)

    def _mask_for(self, repeats: int) -> torch.Tensor | None:
        """[repeats * new, past + new], made once; None for a single token, which sees all."""
        if self._mask is None and (self.mask is not None or len(self.ids) > 1):
            new, total = len(self.ids), self.kv.shape[-2]
            device = self.kv.device
            causal = torch.ones(new, total, dtype=torch.bool, device=device).tril(self.past)
            mask = causal if self.mask is None else self.mask.to(device)
            self._mask = mask.repeat(repeats, 1)
        return self._mask


class BatchPart(Protocol):
    """A run of tokens in a pass, with their ids and positions in their sequences."""

    ids: list[int]
    positions: list[int]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor: ...


@dataclass
class Pass:
    """One forward pass: the next token of every decoding row, then the tokens of `segments`."""

    decoding: KVCachePass | None
    segments: list[Segment]

    @property
    def samples(self) -> int:
        """The number of decoding samples."""
        return len(self.decoding.ids) if self.decoding else 0

    @property
    def parts(self) -> list["BatchPart"]:
        return [*([self.decoding] if self.decoding else []), *self.segments]

    @property
    def ids(self) -> list[int]:
        return [token for part in self.parts for token in part.ids]

    @property
    def positions(self) -> list[int]:
        return [place for part in self.parts for place in part.positions]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """All tokens' attention in one layer; shapes as in `Segment.attend`, over all tokens."""
        parts = self.parts
        sizes = [len(part.ids) for part in parts]
        split = (torch.split(x, sizes) for x in (query, key, value))
        inputs = zip(parts, *split, strict=True)
        output = [part.attend(layer, q, k, v, scale) for part, q, k, v in inputs]
        return output[0] if len(output) == 1 else torch.cat(output)


def _packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: Pass,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' signature: [1, heads, tokens, size] in, [1, tokens, heads, size] out."""
    if unsupported := [name for name in UNSUPPORTED if options.get(name) is not None]:
        raise NotImplementedError(f"attention with {', '.join(unsupported)}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return packed.attend(module.layer_idx, q, k, v, scale)[None], None


AttentionInterface.register(ATTENTION, _packed_attention)
