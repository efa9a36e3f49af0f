"""The shape of a model's keys and values."""

from typing import NamedTuple

import torch


class KVShape(NamedTuple):
    """Keys and values of a sequence are one tensor [layers, 2, heads, tokens, size]."""

    layers: int
    heads: int
    size: int
    dtype: torch.dtype
    device: torch.device

    def empty(self, tokens: int) -> torch.Tensor:
        """Memory for a sequence, not initialised."""
        shape = (self.layers, 2, self.heads, tokens, self.size)
        return torch.empty(shape, dtype=self.dtype, device=self.device)

    def zeros(self, sequences: int, tokens: int) -> torch.Tensor:
        """Memory for many sequences: [layers, 2, sequences, heads, tokens, size].

        Zeros, not garbage: a masked place is multiplied by nought, which must give nought.
        """
        shape = (self.layers, 2, sequences, self.heads, tokens, self.size)
        return torch.zeros(shape, dtype=self.dtype, device=self.device)
