"""Samples that decode together: one copy of a prompt's keys and values for up to `seats` samples.

Decoding on a CPU waits for memory, so the samples of one prompt read its keys and values once:
a slot holds a prompt, its seats hold what each sample added itself (at most `OWN` tokens). A
step's attention is two batched products, over prompts and over own tokens, under one softmax.
Prompts in one block have similar lengths; an empty seat costs computation but changes nothing.
"""

from typing import NamedTuple

import numpy as np
import torch

from workers.engines.block_pass import BlockPass, Integers
from workers.engines.geometry import Geometry
from workers.engines.row import Row

# Own tokens a seat can hold; a sample that outgrows it gets a slot of its own, own tokens included.
OWN = 64
SMALLEST_PROMPT = 64
NEVER = -1e30


class Kind(NamedTuple):
    """Which block a prompt belongs to: room for its tokens and for its samples."""

    prompt: int
    seats: int

    @classmethod
    def of(cls, prompt: int, samples: int) -> "Kind":
        room = max(SMALLEST_PROMPT, 1 << (prompt - 1).bit_length())
        return cls(room, 1 if samples == 1 else 4 if samples <= 4 else 8)


class Block:
    """Slots for prompts of one kind; grows as needed, never shrinks."""

    def __init__(self, kind: Kind, geometry: Geometry) -> None:
        self.kind = kind
        self._geometry = geometry
        self._slots = 0
        self._prompt = self._geometry.zeros(
            0, kind.prompt
        )  # [layers, 2, slots, heads, prompt, size]
        self._own = self._geometry.zeros(0, OWN)  # [layers, 2, slots * seats, heads, OWN, size]
        self._lengths = np.zeros(0, np.int64)  # prompt tokens by slot, 0 if free
        self._filled = np.zeros(0, np.int64)  # own tokens by seat
        self._next = np.zeros(0, np.int64)  # the token to be fed next, by seat
        self.rows: list[Row | None] = []  # by seat

    @property
    def empty(self) -> bool:
        return not self._lengths.any()

    def seat(self, memory: torch.Tensor, rows: list[Row]) -> None:
        """Give a slot to `rows`, at most `seats` of them, that continue the prompt in `memory`.

        `memory` is [layers, 2, heads, tokens, size]; it is copied.
        """
        slot = self._free_slot()
        tokens = memory.shape[-2]
        self._prompt[:, :, slot, :, :tokens] = memory
        self._lengths[slot] = tokens
        for seat, row in enumerate(rows, slot * self.kind.seats):
            self.rows[seat] = row
            self._filled[seat] = 0
            self._next[seat] = row.tokens[-1]
            row.block, row.seat = self, seat

    def leave(self, row: Row) -> None:
        """Free a seat, and its slot if it was the last one taken."""
        self.rows[row.seat] = None
        slot = row.seat // self.kind.seats
        first = slot * self.kind.seats
        if not any(self.rows[first : first + self.kind.seats]):
            self._lengths[slot] = 0
        row.block = None

    def full(self, row: Row) -> bool:
        """Whether the seat has no room for another token."""
        return bool(self._filled[row.seat] >= OWN)

    def known(self, row: Row) -> int:
        """How many tokens of the row's sequence have keys and values here."""
        return int(self._lengths[row.seat // self.kind.seats] + self._filled[row.seat])

    def part(self, row: Row, start: int, end: int) -> torch.Tensor:
        """Keys and values of the row's tokens `start` to `end`, counted from the prompt's first."""
        slot = row.seat // self.kind.seats
        prompt = int(self._lengths[slot])
        own = self._own[:, :, row.seat, :, max(start - prompt, 0) : max(end - prompt, 0)]
        if start >= prompt:
            return own
        return torch.cat([self._prompt[:, :, slot, :, start : min(end, prompt)], own], dim=-2)

    def begin(self) -> BlockPass:
        """The next forward pass over all taken seats, in the order of the seats."""
        taken = self._taken()
        seats, device = self.kind.seats, self._geometry.device
        slots = int(taken[-1]) // seats + 1
        order = np.zeros(slots * seats, np.int64)
        order[taken] = np.arange(len(taken))
        prompt = int(self._lengths[:slots].max())
        filled = self._filled[: slots * seats]
        own = int(filled[taken].max()) + 1
        return BlockPass(
            ids=self._next[taken],
            positions=self._lengths[taken // seats] + self._filled[taken],
            seats=seats,
            taken=torch.from_numpy(taken).to(device),
            at=torch.from_numpy(self._filled[taken]).to(device),
            order=torch.from_numpy(order).to(device),
            prompt=self._prompt[:, :, :slots, :, :prompt],
            own=self._own[:, :, : slots * seats, :, :own],
            prompt_bias=_bias(self._lengths[:slots], prompt).view(slots, 1, 1, 1, -1).to(device),
            own_bias=_bias(filled + 1, own).view(slots, 1, seats, 1, -1).to(device),
        )

    def advance(self, tokens: Integers) -> int:
        """After the pass: every taken seat has one more own token, and the first of `tokens` are
        fed next; returns how many that were."""
        taken = self._taken()
        self._filled[taken] += 1
        self._next[taken] = tokens[: len(taken)]
        return len(taken)

    def _taken(self) -> Integers:
        return np.array([i for i, row in enumerate(self.rows) if row is not None], np.int64)

    def _free_slot(self) -> int:
        """The lowest free slot, so that the taken ones stay together."""
        free = np.flatnonzero(self._lengths == 0)
        if not len(free):
            self._grow()
            free = np.flatnonzero(self._lengths == 0)
        return int(free[0])

    def _grow(self) -> None:
        old, seats = self._slots, self.kind.seats
        self._slots = max(4, 2 * old)
        for name, room in (("_prompt", self.kind.prompt), ("_own", OWN)):
            before = getattr(self, name)
            after = self._geometry.zeros(self._slots * (seats if name == "_own" else 1), room)
            after[:, :, : before.shape[2]] = before
            setattr(self, name, after)
        self._lengths = np.pad(self._lengths, (0, self._slots - old))
        self._filled = np.pad(self._filled, (0, (self._slots - old) * seats))
        self._next = np.pad(self._next, (0, (self._slots - old) * seats))
        self.rows.extend([None] * (self._slots - old) * seats)


def _bias(lengths: Integers, tokens: int) -> torch.Tensor:
    """[n] lengths to [n, tokens]: 0 for the first `length` places of each, then NEVER."""
    hidden = np.arange(tokens)[None, :] >= lengths[:, None]
    return torch.from_numpy(np.where(hidden, np.float32(NEVER), np.float32(0)))
