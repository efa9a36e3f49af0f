"""Ragged batches through a transformers model: one row of tokens, each seeing its own past.

All tokens of a forward pass stand in one row, [1, tokens], so no layer computes padding. Which
keys and values a token sees is decided here, in an attention function registered with
transformers, which the pass reaches as a keyword argument of the model's forward.

Two kinds of tokens: those of *segments* (new prompt tokens after a known past) and one next token
for each decoding sample (see `seating.py`).
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from transformers import AttentionInterface

from workers.engines.local.kv_cache import KVCachePass

ATTENTION = "rstar_packed"
# What some models ask of attention beyond masks and a scale.
NOT_DONE_HERE = ("softcap", "s_aux", "sliding_window", "position_bias")


@dataclass
class Segment:
    """New tokens of one sequence after `past` known ones.

    `memory` [layers, 2, heads, past + new, size] comes with the past filled in and leaves the pass
    with the new tokens' keys and values too. `sees` [new, past + new] says which keys each new
    token attends to; None means causally.
    """

    ids: list[int]
    past: int
    memory: torch.Tensor
    positions: list[int]
    sees: torch.Tensor | None = None
    _mask: torch.Tensor | None = field(default=None, init=False)

    def part(self, start: int, end: int) -> torch.Tensor:
        """Keys and values of tokens `start` to `end` of the whole sequence."""
        return self.memory[..., start:end, :]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """[new, query heads, size] and [new, heads, size] twice to [new, query heads, size]."""
        memory = self.memory[layer]
        memory[0, :, self.past :] = key.transpose(0, 1)
        memory[1, :, self.past :] = value.transpose(0, 1)
        new, heads, size = key.shape
        repeats = query.shape[1] // heads
        grouped = query.view(new, heads, repeats, size).permute(1, 2, 0, 3)
        seen = F.scaled_dot_product_attention(
            grouped.reshape(1, heads, repeats * new, size),
            memory[None, 0],
            memory[None, 1],
            attn_mask=self._mask_for(repeats),
            scale=scale,
        )
        return seen.view(heads, repeats, new, size).permute(2, 0, 1, 3).reshape(new, -1, size)

    def _mask_for(self, repeats: int) -> torch.Tensor | None:
        """[repeats * new, past + new], made once; None for a single token, which sees all."""
        if self._mask is None and (self.sees is not None or len(self.ids) > 1):
            new, total = len(self.ids), self.memory.shape[-2]
            device = self.memory.device
            causal = torch.ones(new, total, dtype=torch.bool, device=device).tril(self.past)
            sees = causal if self.sees is None else self.sees.to(device)
            self._mask = sees.repeat(repeats, 1)
        return self._mask


class Part(Protocol):
    """Tokens that stand together in a pass, with their ids and positions in their sequences."""

    ids: list[int]
    positions: list[int]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor: ...


@dataclass
class Pass:
    """One forward pass: the next token of every decoding row, then the tokens of `segments`."""

    seating: KVCachePass | None
    segments: list[Segment]

    @property
    def rows(self) -> int:
        """The number of decoding rows."""
        return len(self.seating.ids) if self.seating else 0

    @property
    def parts(self) -> list["Part"]:
        return [*([self.seating] if self.seating else []), *self.segments]

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
        cut = (torch.split(x, sizes) for x in (query, key, value))
        pieces = zip(parts, *cut, strict=True)
        seen = [part.attend(layer, q, k, v, scale) for part, q, k, v in pieces]
        return seen[0] if len(seen) == 1 else torch.cat(seen)


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
    if strange := [name for name in NOT_DONE_HERE if options.get(name) is not None]:
        raise NotImplementedError(f"attention with {', '.join(strange)}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return packed.attend(module.layer_idx, q, k, v, scale)[None], None


AttentionInterface.register(ATTENTION, _packed_attention)
