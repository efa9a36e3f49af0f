"""Packed trees laid side by side and below each other: the tensors of one forward pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from rstar_async.trainer.packing import PackedTree

# Shorter trees than this share of the longest wait for another pass.
ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass. Tokens are [rows, longest row], padded with id 0 that nobody sees;
    `judged` [steps, 2] are rows and columns; `chosen`, `rejected` [pairs] and `pointed` [targets]
    index `judged`; `owners` [pairs] are the positions of the pairs' trees among those given."""

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    ends: torch.Tensor
    judged: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor
    weights: torch.Tensor
    owners: torch.Tensor
    pointed: torch.Tensor
    values: torch.Tensor

    def to(self, device: torch.device) -> "Forward":
        return Forward(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Placed:
    """Tree `number` of those given, in `row` from column `start` on; its first judged step is
    number `first_step` of the pass."""

    number: int
    tree: PackedTree
    row: int
    start: int
    first_step: int


def forwards(trees: Sequence[PackedTree], max_tokens: int) -> list[Forward]:
    """Passes of at most `max_tokens` (padding included); every tree in exactly one row.

    Rows are as long as the longest tree of the pass: attention costs the square of a row, so longer
    ones would only be dearer, and much shorter trees have a pass of their own.
    """
    lengths = [len(tree.input_ids) for tree in trees]
    return [
        _forward(trees, rows)
        for alike in of_like_length(lengths)
        for rows in _passes(lengths, alike, max_tokens)
    ]


def of_like_length(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of `lengths`, the longest first, in groups in which none is less than `ALIKE` of
    the first."""
    groups: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if not groups or lengths[number] < ALIKE * lengths[groups[-1][0]]:
            groups.append([])
        groups[-1].append(number)
    return groups


def _passes(
    lengths: Sequence[int], numbers: Sequence[int], max_tokens: int
) -> Iterator[list[list[int]]]:
    """Rows of trees, as many at a time as fit."""
    longest = lengths[numbers[0]]
    rows = [[numbers[i] for i in row] for row in first_fit([lengths[n] for n in numbers], longest)]
    at_once = max(1, max_tokens // longest)
    for first in range(0, len(rows), at_once):
        yield rows[first : first + at_once]


def first_fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Positions of `lengths` in rows of `room`, the longest first."""
    rows: list[list[int]] = []
    free: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        row = next((i for i, left in enumerate(free) if left >= lengths[number]), len(rows))
        if row == len(rows):
            rows.append([])
            free.append(room)
        rows[row].append(number)
        free[row] -= lengths[number]
    return rows


def _forward(trees: Sequence[PackedTree], rows: Sequence[Sequence[int]]) -> Forward:
    placed = list(_placed(trees, rows))
    by_row = [[p for p in placed if p.row == row] for row in range(len(rows))]
    pairs = [
        (p.first_step + chosen, p.first_step + rejected, weight, p.number)
        for p in placed
        for chosen, rejected, weight in p.tree.pairs
    ]
    targets = [(p.first_step + step, value) for p in placed for step, value in p.tree.targets]
    return Forward(
        input_ids=_padded([[i for p in row for i in p.tree.input_ids] for row in by_row]),
        position_ids=_padded([[i for p in row for i in p.tree.position_ids] for row in by_row]),
        ends=_padded([[p.start + end for p in row for end in p.tree.ends] for row in by_row]),
        judged=torch.tensor(
            [(p.row, p.start + column) for p in placed for column in p.tree.judged]
        ),
        chosen=_indices([pair[0] for pair in pairs]),
        rejected=_indices([pair[1] for pair in pairs]),
        weights=torch.tensor([pair[2] for pair in pairs]),
        owners=_indices([pair[3] for pair in pairs]),
        pointed=_indices([step for step, _ in targets]),
        values=torch.tensor([value for _, value in targets]),
    )


def _placed(trees: Sequence[PackedTree], rows: Sequence[Sequence[int]]) -> Iterator[Placed]:
    first_step = 0
    for row, numbers in enumerate(rows):
        starts = accumulate((len(trees[number].input_ids) for number in numbers), initial=0)
        for number, start in zip(numbers, starts, strict=False):
            yield Placed(number, trees[number], row, start, first_step)
            first_step += len(trees[number].judged)


def _indices(numbers: Sequence[int]) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.long)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
