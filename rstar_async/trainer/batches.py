"""Packed trees laid side by side and below each other: the tensors of one forward pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from rstar_async.trainer.packing import PackedTree


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass. Tokens are [rows, longest row], padded with id 0 that nobody sees;
    `judged` [steps, 2] are rows and columns; `chosen`, `rejected` [pairs] index `judged`."""

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    ends: torch.Tensor
    judged: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor
    weights: torch.Tensor

    def to(self, device: torch.device) -> "Forward":
        return Forward(*(getattr(self, name).to(device) for name in self.__slots__))


def forwards(trees: Sequence[PackedTree], max_tokens: int) -> list[Forward]:
    """As few passes as `max_tokens` (padding included) allows; every tree in exactly one row.

    Rows are as long as the longest tree: attention costs the square of a row, so longer ones would
    only be dearer.
    """
    length = max(len(tree.input_ids) for tree in trees)
    rows = _rows(trees, length)
    rows_per_pass = max(1, max_tokens // length)
    return [_forward(rows[i : i + rows_per_pass]) for i in range(0, len(rows), rows_per_pass)]


def _rows(trees: Sequence[PackedTree], length: int) -> list[list[PackedTree]]:
    """First fit, longest tree first."""
    rows: list[list[PackedTree]] = []
    free: list[int] = []
    for tree in sorted(trees, key=lambda t: -len(t.input_ids)):
        need = len(tree.input_ids)
        row = next((i for i, room in enumerate(free) if room >= need), len(rows))
        if row == len(rows):
            rows.append([])
            free.append(length)
        rows[row].append(tree)
        free[row] -= need
    return rows


def _forward(rows: Sequence[Sequence[PackedTree]]) -> Forward:
    placed = [
        (number, start, tree) for number, row in enumerate(rows) for start, tree in _starts(row)
    ]
    firsts = accumulate((len(tree.judged) for _, _, tree in placed), initial=0)
    pairs = [
        (first + chosen, first + rejected, weight)
        for first, (_, _, tree) in zip(firsts, placed, strict=False)
        for chosen, rejected, weight in tree.pairs
    ]
    chosen, rejected, weights = zip(*pairs, strict=True)
    return Forward(
        input_ids=_padded([[i for tree in row for i in tree.input_ids] for row in rows]),
        position_ids=_padded([[i for tree in row for i in tree.position_ids] for row in rows]),
        ends=_padded([[s + e for s, tree in _starts(row) for e in tree.ends] for row in rows]),
        judged=torch.tensor([(n, s + column) for n, s, tree in placed for column in tree.judged]),
        chosen=torch.tensor(chosen),
        rejected=torch.tensor(rejected),
        weights=torch.tensor(weights),
    )


def _starts(row: Sequence[PackedTree]) -> Iterable[tuple[int, PackedTree]]:
    """Each tree of a row with the column it starts at."""
    starts = accumulate((len(tree.input_ids) for tree in row), initial=0)
    return zip(starts, row, strict=False)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
