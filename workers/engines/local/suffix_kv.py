"""What decoding samples added themselves: keys and values of their own tokens, one row a sample.

Rows of similar length stand in one table without gaps, so a step computes little that nobody
needs: a sample that leaves is replaced by the last one, one that fills its row moves to a table
with rows twice as long.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence

Integers = npt.NDArray[np.int64]

SHORTEST = 16
NEVER = -1e30


class SuffixKV:
    """Rows of at most `length` tokens, the first `len(rows)` of them taken."""

    def __init__(self, length: int, kv_shape: KVShape) -> None:
        self.length = length
        self.rows: list[Sequence] = []
        self._places: dict[Sequence, int] = {}
        self._kv_shape = kv_shape
        self._memory = kv_shape.zeros(8, length)  # [layers, 2, places, heads, length, size]
        self._filled = np.zeros(8, np.int64)

    def add(self, row: Sequence, memory: torch.Tensor | None = None) -> None:
        """Take a row in, with the tokens it has so far, [layers, 2, heads, tokens, size]."""
        place = len(self.rows)
        if place == len(self._filled):
            self._grow()
        self.rows.append(row)
        self._places[row] = place
        self._filled[place] = 0 if memory is None else memory.shape[-2]
        if memory is not None:
            self._memory[:, :, place, :, : memory.shape[-2]] = memory

    def remove(self, row: Sequence) -> None:
        """Close the gap with the last row."""
        last, place, end = self.rows.pop(), self._places.pop(row), len(self.rows)
        if last is not row:
            filled = self._filled[end]
            self._filled[place] = filled
            self._memory[:, :, place, :, :filled] = self._memory[:, :, end, :, :filled]
            self.rows[place], self._places[last] = last, place

    def filled(self, row: Sequence) -> int:
        return int(self._filled[self._places[row]])

    def part(self, row: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of the row's own tokens `start` to `end`."""
        return self._memory[:, :, self._places[row], :, start:end]

    def begin(self) -> "SuffixKVPass":
        """A forward pass that adds one token to every row."""
        rows = len(self.rows)
        filled = self._filled[:rows].copy()
        tokens, device = int(filled.max()) + 1, self._kv_shape.device
        return SuffixKVPass(
            places=torch.arange(rows, device=device),
            at=torch.from_numpy(filled).to(device),
            memory=self._memory[:, :, :rows, :, :tokens],
            bias=bias(filled + 1, tokens).view(rows, 1, 1, tokens).to(device),
        )

    def advance(self) -> list[Sequence]:
        """After the pass: every row is one token longer; returns those that are now full."""
        self._filled[: len(self.rows)] += 1
        full = np.flatnonzero(self._filled[: len(self.rows)] == self.length)
        return [self.rows[place] for place in full]

    def _grow(self) -> None:
        places = 2 * len(self._filled)
        memory = self._kv_shape.zeros(places, self.length)
        memory[:, :, : len(self._filled)] = self._memory
        self._memory = memory
        self._filled = np.pad(self._filled, (0, places - len(self._filled)))


@dataclass
class SuffixKVPass:
    """`memory` [layers, 2, rows, heads, tokens, size]; row i writes its new token at `at[i]`."""

    places: torch.Tensor
    at: torch.Tensor
    memory: torch.Tensor
    bias: torch.Tensor

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled queries [rows, heads, repeats, size] to what they see, and its log-weight.

        Keys and values [rows, heads, size] of the new tokens are stored first.
        """
        keys, values = self.memory[layer]
        keys[self.places, :, self.at] = key
        values[self.places, :, self.at] = value
        rows, heads, repeats, size = query.shape
        scores = torch.bmm(query.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2))
        weights, mass = weigh(scores.view(rows, heads, repeats, -1) + self.bias)
        seen = torch.bmm(weights.to(values.dtype).flatten(0, 1), values.flatten(0, 1))
        return seen.view(rows, heads, repeats, size), mass


def weigh(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Softmax over the last axis and the log of its denominator, [..., 1]."""
    weights = torch.softmax(scores, dim=-1)
    # The largest score and its weight give the denominator; a separate logsumexp costs far more.
    return weights, scores.amax(-1, keepdim=True) - weights.amax(-1, keepdim=True).log()


def bias(lengths: Integers, tokens: int) -> torch.Tensor:
    """[n] lengths to [n, tokens]: 0 for the first `length` places of each, then NEVER."""
    hidden = np.arange(tokens)[None, :] >= lengths[:, None]
    return torch.from_numpy(np.where(hidden, np.float32(NEVER), np.float32(0)))
