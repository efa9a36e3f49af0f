"""Keys and values of the tokens that decoding samples added themselves, one row per sequence.

Rows of similar length share one table without gaps, so a step computes little padding: a sequence
that leaves is replaced by the last one, and one that fills its row moves to a table whose rows are
twice as long.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence

Integers = npt.NDArray[np.int64]

SHORTEST_ROW = 16
MASKED = -1e30


class SuffixKV:
    """Rows of at most `length` tokens, the first `len(sequences)` of them in use."""

    def __init__(self, length: int, kv_shape: KVShape) -> None:
        self.length = length
        self.sequences: list[Sequence] = []
        self._row_of: dict[Sequence, int] = {}
        self._kv_shape = kv_shape
        self._kv = kv_shape.zeros(8, length)  # [layers, 2, rows, heads, length, size]
        self._filled = np.zeros(8, np.int64)

    def add(self, sequence: Sequence, kv: torch.Tensor | None = None) -> None:
        """Add a sequence with the tokens it has so far, [layers, 2, heads, tokens, size]."""
        row = len(self.sequences)
        if row == len(self._filled):
            self._grow()
        self.sequences.append(sequence)
        self._row_of[sequence] = row
        self._filled[row] = 0 if kv is None else kv.shape[-2]
        if kv is not None:
            self._kv[:, :, row, :, : kv.shape[-2]] = kv

    def remove(self, sequence: Sequence) -> None:
        """Close the gap with the last row."""
        last, row, end = self.sequences.pop(), self._row_of.pop(sequence), len(self.sequences)
        if last is not sequence:
            filled = self._filled[end]
            self._filled[row] = filled
            self._kv[:, :, row, :, :filled] = self._kv[:, :, end, :, :filled]
            self.sequences[row], self._row_of[last] = last, row

    def filled(self, sequence: Sequence) -> int:
        """How many of its own tokens have keys and values."""
        return int(self._filled[self._row_of[sequence]])

    def part(self, sequence: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of the sequence's own tokens `start` to `end`."""
        return self._kv[:, :, self._row_of[sequence], :, start:end]

    def begin(self) -> "SuffixKVPass":
        """A forward pass that adds one token to every sequence."""
        rows = len(self.sequences)
        filled = self._filled[:rows].copy()
        tokens, device = int(filled.max()) + 1, self._kv_shape.device
        return SuffixKVPass(
            rows=torch.arange(rows, device=device),
            new_token=torch.from_numpy(filled).to(device),
            kv=self._kv[:, :, :rows, :, :tokens],
            bias=length_bias(filled + 1, tokens).view(rows, 1, 1, tokens).to(device),
        )

    def advance(self) -> list[Sequence]:
        """After the pass: every sequence is one token longer; returns those whose row is full."""
        self._filled[: len(self.sequences)] += 1
        full = np.flatnonzero(self._filled[: len(self.sequences)] == self.length)
        return [self.sequences[row] for row in full]

    def _grow(self) -> None:
        rows = 2 * len(self._filled)
        kv = self._kv_shape.zeros(rows, self.length)
        kv[:, :, : len(self._filled)] = self._kv
        self._kv = kv
        self._filled = np.pad(self._filled, (0, rows - len(self._filled)))


@dataclass
class SuffixKVPass:
    """`kv` is [layers, 2, rows, heads, tokens, size]; row i stores its new token at
    `new_token[i]`."""

    rows: torch.Tensor
    new_token: torch.Tensor
    kv: torch.Tensor
    bias: torch.Tensor

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled queries [rows, heads, repeats, size] to attention outputs and their log-weights.

        Keys and values [rows, heads, size] of the new tokens are stored first.
        """
        keys, values = self.kv[layer]
        keys[self.rows, :, self.new_token] = key
        values[self.rows, :, self.new_token] = value
        rows, heads, repeats, size = query.shape
        scores = torch.bmm(query.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2))
        weights, log_weight = softmax_and_log_weight(
            scores.view(rows, heads, repeats, -1) + self.bias
        )
        output = torch.bmm(weights.to(values.dtype).flatten(0, 1), values.flatten(0, 1))
        return output.view(rows, heads, repeats, size), log_weight


def softmax_and_log_weight(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Softmax over the last axis and the log of its denominator, [..., 1]."""
    weights = torch.softmax(scores, dim=-1)
    # The largest score and its weight give the denominator; a separate logsumexp costs far more.
    return weights, scores.amax(-1, keepdim=True) - weights.amax(-1, keepdim=True).log()


def length_bias(lengths: Integers, tokens: int) -> torch.Tensor:
    """[n] lengths to [n, tokens]: 0 for the first `length` tokens of each, then MASKED."""
    hidden = np.arange(tokens)[None, :] >= lengths[:, None]
    return torch.from_numpy(np.where(hidden, np.float32(MASKED), np.float32(0)))
