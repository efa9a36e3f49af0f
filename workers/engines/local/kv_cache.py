"""Keys and values of all decoding sequences of a model: shared prompts and own suffixes.

A token's attention is computed over its prompt and over its suffix separately, where each has the
best layout, and combined by the two softmax denominators; the result is that of one softmax over
both.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from workers.engines.local.kv_shape import KVShape
from workers.engines.local.sequence import Sequence
from workers.engines.local.shared_prompt_kv import (
    SharedPromptKV,
    SharedPromptKVPass,
    TableShape,
)
from workers.engines.local.suffix_kv import SHORTEST_ROW, SuffixKV, SuffixKVPass


class KVCache:
    """Sequences are added after their first token and removed when they end."""

    def __init__(self, kv_shape: KVShape) -> None:
        self._kv_shape = kv_shape
        self._prompts: dict[TableShape, SharedPromptKV] = {}
        self._suffixes: dict[int, SuffixKV] = {}
        # The tables in which each sequence is.
        self._prompts_of: dict[Sequence, SharedPromptKV] = {}
        self._suffixes_of: dict[Sequence, SuffixKV] = {}

    def sequences(self) -> list[Sequence]:
        """In the order of the batch."""
        return [sequence for table in self._suffixes.values() for sequence in table.sequences]

    def add(self, kv: torch.Tensor, sequences: list[Sequence]) -> None:
        """Add sequences that continue one prompt, whose keys and values [layers, 2, heads, tokens,
        size] are copied."""
        if not sequences:
            return
        shape = TableShape.fitting(kv.shape[-2], len(sequences))
        if shape not in self._prompts:
            self._prompts[shape] = SharedPromptKV(shape, self._kv_shape)
        prompts = self._prompts[shape]
        for start in range(0, len(sequences), shape.samples):
            prompts.add(kv, sequences[start : start + shape.samples])
        for sequence in sequences:
            self._prompts_of[sequence] = prompts
            self._add_suffix(sequence, SHORTEST_ROW)

    def remove(self, sequence: Sequence) -> None:
        self._suffixes_of.pop(sequence).remove(sequence)
        self._prompts_of.pop(sequence).remove(sequence)

    def known(self, sequence: Sequence) -> int:
        """How many tokens of the sequence, prompt included, have keys and values."""
        return len(sequence.group.prompt) + self._suffixes_of[sequence].filled(sequence)

    def part(self, sequence: Sequence, start: int, end: int) -> torch.Tensor:
        """Keys and values of tokens `start` to `end`, counted from the start of the prompt."""
        length = len(sequence.group.prompt)
        suffixes = self._suffixes_of[sequence]
        own = suffixes.part(sequence, max(start - length, 0), max(end - length, 0))
        if start >= length:
            return own
        prompt = self._prompts_of[sequence].part(sequence, start, min(end, length))
        return torch.cat([prompt, own], dim=-2)

    def begin(self) -> "KVCachePass | None":
        """A pass over the next token of every sequence; None if there is no sequence."""
        self._drop_empty_tables()
        sequences = self.sequences()
        if not sequences:
            return None
        order = {id(sequence): row for row, sequence in enumerate(sequences)}
        prompts = [table.begin(order) for table in self._prompts.values()]
        by_table = torch.tensor([row for table in prompts for row in table.rows])
        return KVCachePass(
            ids=[s.tokens[-1] for s in sequences],
            positions=[len(s.group.prompt) + len(s.tokens) - 1 for s in sequences],
            sizes=[len(table.sequences) for table in self._suffixes.values()],
            suffixes=[table.begin() for table in self._suffixes.values()],
            prompts=prompts,
            unsort=by_table.argsort().to(self._kv_shape.device),
        )

    def advance(self) -> None:
        """After the pass: every sequence has the keys and values of one more token."""
        full = [s for table in self._suffixes.values() for s in table.advance()]
        for sequence in full:
            table = self._suffixes_of[sequence]
            kv = table.part(sequence, 0, table.length).clone()
            table.remove(sequence)
            self._add_suffix(sequence, 2 * table.length, kv)

    def _add_suffix(self, sequence: Sequence, length: int, kv: torch.Tensor | None = None) -> None:
        if length not in self._suffixes:
            self._suffixes[length] = SuffixKV(length, self._kv_shape)
        self._suffixes[length].add(sequence, kv)
        self._suffixes_of[sequence] = self._suffixes[length]

    def _drop_empty_tables(self) -> None:
        self._prompts = {shape: table for shape, table in self._prompts.items() if not table.empty}
        self._suffixes = {n: table for n, table in self._suffixes.items() if table.sequences}


@dataclass
class KVCachePass:
    """One forward pass: `sizes` sequences of each table of `suffixes`, in order.

    `unsort` finds a sequence's place among the taken places of `prompts`.
    """

    ids: list[int]
    positions: list[int]
    sizes: list[int]
    suffixes: list[SuffixKVPass]
    prompts: list[SharedPromptKVPass]
    unsort: torch.Tensor

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """[rows, query heads, size] and [rows, heads, size] twice to [rows, query heads, size]."""
        rows, heads, size = key.shape
        scaled = (query * scale).view(rows, heads, -1, size)
        own, own_log_weight = _concatenate(self._over_suffixes(layer, scaled, key, value))
        prompt, log_weight = _concatenate(table.attend(layer, scaled) for table in self.prompts)
        share = torch.sigmoid(log_weight[self.unsort] - own_log_weight).to(own.dtype)
        return torch.lerp(own, prompt[self.unsort], share).view(rows, -1, size)

    def _over_suffixes(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        split = (torch.split(x, self.sizes) for x in (query, key, value))
        for table, q, k, v in zip(self.suffixes, *split, strict=True):
            yield table.attend(layer, q, k, v)


def _concatenate(
    parts: Iterator[tuple[torch.Tensor, torch.Tensor]],
) -> tuple[torch.Tensor, torch.Tensor]:
    outputs, log_weights = zip(*parts, strict=True)
    if len(outputs) == 1:
        return outputs[0], log_weights[0]
    return torch.cat(outputs), torch.cat(log_weights)
