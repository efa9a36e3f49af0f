"""All decoding samples of a model: their shared prompts, their own tails, and one pass over both.

A token's attention is computed over its prompt and over its tail apart, where each is laid out
best, and joined by their softmax denominators; the result is that of one softmax over both.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence
from workers.engines.local.shared_prompt_kv import Kind, SharedPromptKV, SharedPromptKVPass
from workers.engines.local.suffix_kv import SHORTEST, SuffixKV, SuffixKVPass


class KVCache:
    """Rows join after their first token and leave when they end; memory follows their number."""

    def __init__(self, kv_shape: KVShape) -> None:
        self._kv_shape = kv_shape
        self._prompts: dict[Kind, SharedPromptKV] = {}
        self._tails: dict[int, SuffixKV] = {}
        # Where each row sits.
        self._prompts_of: dict[Sequence, SharedPromptKV] = {}
        self._tail_of: dict[Sequence, SuffixKV] = {}

    def rows(self) -> list[Sequence]:
        """In the order of the pass."""
        return [row for tails in self._tails.values() for row in tails.rows]

    def join(self, memory: torch.Tensor, rows: list[Sequence]) -> None:
        """Seat rows that continue one prompt, [layers, 2, heads, tokens, size]; it is copied."""
        if not rows:
            return
        kind = Kind.of(memory.shape[-2], len(rows))
        if kind not in self._prompts:
            self._prompts[kind] = SharedPromptKV(kind, self._kv_shape)
        prompts = self._prompts[kind]
        for start in range(0, len(rows), kind.seats):
            prompts.seat(memory, rows[start : start + kind.seats])
        for row in rows:
            self._prompts_of[row] = prompts
            self._give_tail(row, SHORTEST)

    def leave(self, row: Sequence) -> None:
        self._tail_of.pop(row).remove(row)
        self._prompts_of.pop(row).leave(row)

    def known(self, row: Sequence) -> int:
        """How many tokens of the row's sequence have keys and values."""
        return len(row.job.prompt) + self._tail_of[row].filled(row)

    def part(self, row: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of the row's tokens `start` to `end`, prompt and own together."""
        length = len(row.job.prompt)
        own = self._tail_of[row].part(row, max(start - length, 0), max(end - length, 0))
        if start >= length:
            return own
        prompt = self._prompts_of[row].part(row, start, min(end, length))
        return torch.cat([prompt, own], dim=-2)

    def begin(self) -> "KVCachePass | None":
        """The next token of every row; None if there is no row."""
        self._clear()
        rows = self.rows()
        if not rows:
            return None
        order = {id(row): place for place, row in enumerate(rows)}
        prompts = [table.begin(order) for table in self._prompts.values()]
        by_table = torch.tensor([place for table in prompts for place in table.places])
        return KVCachePass(
            ids=[row.tokens[-1] for row in rows],
            positions=[len(row.job.prompt) + len(row.tokens) - 1 for row in rows],
            sizes=[len(tails.rows) for tails in self._tails.values()],
            tails=[tails.begin() for tails in self._tails.values()],
            prompts=prompts,
            unsort=by_table.argsort().to(self._kv_shape.device),
        )

    def advance(self) -> None:
        """After the pass: every row has the keys and values of one more token."""
        full = [row for tails in self._tails.values() for row in tails.advance()]
        for row in full:
            tail = self._tail_of[row]
            memory = tail.part(row, 0, tail.length).clone()
            tail.remove(row)
            self._give_tail(row, 2 * tail.length, memory)

    def _give_tail(self, row: Sequence, length: int, memory: torch.Tensor | None = None) -> None:
        if length not in self._tails:
            self._tails[length] = SuffixKV(length, self._kv_shape)
        self._tails[length].add(row, memory)
        self._tail_of[row] = self._tails[length]

    def _clear(self) -> None:
        """Give back the memory of tables that nobody uses."""
        self._prompts = {kind: table for kind, table in self._prompts.items() if not table.empty}
        self._tails = {length: tails for length, tails in self._tails.items() if tails.rows}


@dataclass
class KVCachePass:
    """One forward pass over all rows: `sizes` rows of each of `tails`, in order.

    `unsort` finds a row's place among the taken seats of `prompts`.
    """

    ids: list[int]
    positions: list[int]
    sizes: list[int]
    tails: list[SuffixKVPass]
    prompts: list[SharedPromptKVPass]
    unsort: torch.Tensor

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """[rows, query heads, size] and [rows, heads, size] twice to [rows, query heads, size]."""
        rows, heads, size = key.shape
        scaled = (query * scale).view(rows, heads, -1, size)
        own, own_mass = _join(self._over_tails(layer, scaled, key, value))
        seen, mass = _join(table.attend(layer, scaled) for table in self.prompts)
        share = torch.sigmoid(mass[self.unsort] - own_mass).to(own.dtype)
        return torch.lerp(own, seen[self.unsort], share).view(rows, -1, size)

    def _over_tails(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        cut = (torch.split(x, self.sizes) for x in (query, key, value))
        for tails, q, k, v in zip(self.tails, *cut, strict=True):
            yield tails.attend(layer, q, k, v)


def _join(parts: Iterator[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    seen, masses = zip(*parts, strict=True)
    if len(seen) == 1:
        return seen[0], masses[0]
    return torch.cat(seen), torch.cat(masses)
