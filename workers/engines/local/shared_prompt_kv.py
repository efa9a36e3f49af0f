"""Prompts of decoding samples: one copy of the keys and values for up to `seats` samples.

Decoding on a CPU waits for memory, so the samples of one prompt read it together: a slot holds a
prompt, its seats the samples. Prompts in one table have similar lengths. An empty seat costs a
little computation and changes nothing.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence
from workers.engines.local.suffix_kv import bias, weigh

SHORTEST = 64


class Kind(NamedTuple):
    """Which table a prompt belongs to: room for its tokens and for its samples."""

    length: int
    seats: int

    @classmethod
    def of(cls, tokens: int, samples: int) -> "Kind":
        length = max(SHORTEST, 1 << (tokens - 1).bit_length())
        return cls(length, 1 if samples == 1 else 4 if samples <= 4 else 8)


class SharedPromptKV:
    """Slots for prompts of one kind; grows as needed, never shrinks."""

    def __init__(self, kind: Kind, kv_shape: KVShape) -> None:
        self.kind = kind
        self._kv_shape = kv_shape
        self._memory = kv_shape.zeros(4, kind.length)  # [layers, 2, slots, heads, length, size]
        self._lengths = np.zeros(4, np.int64)  # 0 if the slot is free
        self._seats: list[Sequence | None] = [None] * (4 * kind.seats)
        self._places: dict[Sequence, int] = {}

    @property
    def empty(self) -> bool:
        return not self._lengths.any()

    def seat(self, memory: torch.Tensor, rows: list[Sequence]) -> None:
        """Copy a prompt, [layers, 2, heads, tokens, size], into a slot for at most `seats` rows."""
        slot = self._free_slot()
        tokens = memory.shape[-2]
        self._memory[:, :, slot, :, :tokens] = memory
        self._lengths[slot] = tokens
        for seat, row in enumerate(rows, slot * self.kind.seats):
            self._seats[seat] = row
            self._places[row] = seat

    def leave(self, row: Sequence) -> None:
        """Free a seat, and its slot if it was the last one taken."""
        seat = self._places.pop(row)
        self._seats[seat] = None
        slot = seat // self.kind.seats
        first = slot * self.kind.seats
        if not any(self._seats[first : first + self.kind.seats]):
            self._lengths[slot] = 0

    def part(self, row: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of the prompt's tokens `start` to `end`."""
        return self._memory[:, :, self._places[row] // self.kind.seats, :, start:end]

    def begin(self, order: dict[int, int]) -> "SharedPromptKVPass":
        """A forward pass in which the row with `id` stands at place `order[id]`."""
        taken = [seat for seat, row in enumerate(self._seats) if row is not None]
        places = [order[id(row)] for row in self._seats if row is not None]
        slots = taken[-1] // self.kind.seats + 1
        by_seat = np.zeros(slots * self.kind.seats, np.int64)
        by_seat[taken] = places
        lengths, device = self._lengths[:slots], self._kv_shape.device
        tokens = int(lengths.max())
        return SharedPromptKVPass(
            seats=self.kind.seats,
            taken=torch.tensor(taken, device=device),
            places=places,
            by_seat=torch.from_numpy(by_seat).to(device),
            memory=self._memory[:, :, :slots, :, :tokens],
            bias=bias(lengths, tokens).view(slots, 1, 1, tokens).to(device),
        )

    def _free_slot(self) -> int:
        """The lowest free slot, so that the taken ones stay together."""
        free = np.flatnonzero(self._lengths == 0)
        if len(free):
            return int(free[0])
        slots = len(self._lengths)
        memory = self._kv_shape.zeros(2 * slots, self.kind.length)
        memory[:, :, :slots] = self._memory
        self._memory = memory
        self._lengths = np.pad(self._lengths, (0, slots))
        self._seats.extend([None] * (slots * self.kind.seats))
        return slots


@dataclass
class SharedPromptKVPass:
    """`memory` [layers, 2, slots, heads, tokens, size]; `by_seat` is the row of each seat (any row
    for an empty one), `taken` the taken seats and `places` their rows."""

    seats: int
    taken: torch.Tensor
    places: list[int]
    by_seat: torch.Tensor
    memory: torch.Tensor
    bias: torch.Tensor

    def attend(self, layer: int, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled queries [rows, heads, repeats, size] to what each taken seat's row sees of its
        prompt, [taken, heads, repeats, size], and its log-weight.

        The seats of a slot, and the query heads of a key head, differ only in their queries: the
        prompt's keys and values are read once for all of them.
        """
        keys, values = self.memory[layer]
        slots, heads, tokens, size = keys.shape
        repeats = query.shape[2]
        grouped = query[self.by_seat].view(slots, self.seats, heads, repeats, size).transpose(1, 2)
        grouped = grouped.reshape(slots * heads, self.seats * repeats, size)
        scores = torch.bmm(grouped, keys.flatten(0, 1).transpose(1, 2))
        weights, mass = weigh(scores.view(slots, heads, -1, tokens) + self.bias)
        seen = torch.bmm(weights.to(values.dtype).flatten(0, 1), values.flatten(0, 1))
        return self._by_row(seen, heads), self._by_row(mass, heads)

    def _by_row(self, grouped: torch.Tensor, heads: int) -> torch.Tensor:
        """[slots * heads, seats * repeats, width] to [taken, heads, repeats, width]."""
        width = grouped.shape[-1]
        by_slot = grouped.view(-1, heads, self.seats, grouped.shape[-2] // self.seats, width)
        return by_slot.transpose(1, 2).flatten(0, 1)[self.taken]
