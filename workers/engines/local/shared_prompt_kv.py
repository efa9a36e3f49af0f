"""Keys and values of prompts, one copy for all samples that decode from the same prompt.

Decoding on a CPU is bound by memory bandwidth, so the samples of one prompt read it together: a
slot holds one prompt and has a fixed number of places for samples. Prompts in one table have
similar lengths. An empty place costs a little computation and changes nothing.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence
from workers.engines.local.suffix_kv import length_bias, softmax_and_log_weight

SHORTEST_PROMPT = 64


class TableShape(NamedTuple):
    """Room in each slot of a table: for the prompt's tokens and for its samples."""

    length: int
    samples: int

    @classmethod
    def fitting(cls, tokens: int, samples: int) -> "TableShape":
        """The table for a prompt of so many tokens with so many samples."""
        length = max(SHORTEST_PROMPT, 1 << (tokens - 1).bit_length())
        return cls(length, 1 if samples == 1 else 4 if samples <= 4 else 8)


class SharedPromptKV:
    """Slots of one shape; grows as needed, never shrinks."""

    def __init__(self, shape: TableShape, kv_shape: KVShape) -> None:
        self.shape = shape
        self._kv_shape = kv_shape
        self._kv = kv_shape.zeros(4, shape.length)  # [layers, 2, slots, heads, length, size]
        self._lengths = np.zeros(4, np.int64)  # 0 if the slot is free
        self._places: list[Sequence | None] = [None] * (4 * shape.samples)
        self._place_of: dict[Sequence, int] = {}

    @property
    def empty(self) -> bool:
        return not self._lengths.any()

    def add(self, kv: torch.Tensor, sequences: list[Sequence]) -> None:
        """Copy a prompt, [layers, 2, heads, tokens, size], into a slot for these sequences, at most
        `shape.samples` of them."""
        slot = self._free_slot()
        tokens = kv.shape[-2]
        self._kv[:, :, slot, :, :tokens] = kv
        self._lengths[slot] = tokens
        for place, sequence in enumerate(sequences, slot * self.shape.samples):
            self._places[place] = sequence
            self._place_of[sequence] = place

    def remove(self, sequence: Sequence) -> None:
        """Free a place, and its slot if no other place of it is taken."""
        place = self._place_of.pop(sequence)
        self._places[place] = None
        slot = place // self.shape.samples
        first = slot * self.shape.samples
        if not any(self._places[first : first + self.shape.samples]):
            self._lengths[slot] = 0

    def part(self, sequence: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of the prompt's tokens `start` to `end`."""
        return self._kv[:, :, self._place_of[sequence] // self.shape.samples, :, start:end]

    def begin(self, order: dict[int, int]) -> "SharedPromptKVPass":
        """A forward pass in which the sequence with `id` is row `order[id]` of the batch."""
        taken = [place for place, sequence in enumerate(self._places) if sequence is not None]
        rows = [order[id(sequence)] for sequence in self._places if sequence is not None]
        slots = taken[-1] // self.shape.samples + 1
        row_of_place = np.zeros(slots * self.shape.samples, np.int64)
        row_of_place[taken] = rows
        lengths, device = self._lengths[:slots], self._kv_shape.device
        tokens = int(lengths.max())
        return SharedPromptKVPass(
            samples=self.shape.samples,
            taken=torch.tensor(taken, device=device),
            rows=rows,
            row_of_place=torch.from_numpy(row_of_place).to(device),
            kv=self._kv[:, :, :slots, :, :tokens],
            bias=length_bias(lengths, tokens).view(slots, 1, 1, tokens).to(device),
        )

    def _free_slot(self) -> int:
        """The lowest free slot, so that the taken ones stay together."""
        free = np.flatnonzero(self._lengths == 0)
        if len(free):
            return int(free[0])
        slots = len(self._lengths)
        kv = self._kv_shape.zeros(2 * slots, self.shape.length)
        kv[:, :, :slots] = self._kv
        self._kv = kv
        self._lengths = np.pad(self._lengths, (0, slots))
        self._places.extend([None] * (slots * self.shape.samples))
        return slots


@dataclass
class SharedPromptKVPass:
    """`kv` is [layers, 2, slots, heads, tokens, size]; `row_of_place` is the batch row of each
    place (any row for an empty one), `taken` the taken places and `rows` their batch rows."""

    samples: int
    taken: torch.Tensor
    rows: list[int]
    row_of_place: torch.Tensor
    kv: torch.Tensor
    bias: torch.Tensor

    def attend(self, layer: int, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled queries [rows, heads, repeats, size] to the attention outputs of the taken places
        over their prompts, [taken, heads, repeats, size], and their log-weights.

        The places of a slot, and the query heads of a key head, differ only in their queries: the
        prompt's keys and values are read once for all of them.
        """
        keys, values = self.kv[layer]
        slots, heads, tokens, size = keys.shape
        repeats = query.shape[2]
        grouped = query[self.row_of_place].view(slots, self.samples, heads, repeats, size)
        grouped = grouped.transpose(1, 2).reshape(slots * heads, self.samples * repeats, size)
        scores = torch.bmm(grouped, keys.flatten(0, 1).transpose(1, 2))
        weights, log_weight = softmax_and_log_weight(
            scores.view(slots, heads, -1, tokens) + self.bias
        )
        output = torch.bmm(weights.to(values.dtype).flatten(0, 1), values.flatten(0, 1))
        return self._by_place(output, heads), self._by_place(log_weight, heads)

    def _by_place(self, grouped: torch.Tensor, heads: int) -> torch.Tensor:
        """[slots * heads, samples * repeats, width] to [taken, heads, repeats, width]."""
        width = grouped.shape[-1]
        by_slot = grouped.view(-1, heads, self.samples, grouped.shape[-2] // self.samples, width)
        return by_slot.transpose(1, 2).flatten(0, 1)[self.taken]
