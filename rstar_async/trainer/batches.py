"""Arranges packed trees in rows: the tensors of one forward pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from rstar_async.trainer.packing import PackedTree

# Trees shorter than this share of the longest go into another pass.
MIN_LENGTH_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Forward:
    """The tensors of one forward pass.

    Tokens are [rows, longest row], padded with id 0 to which no token attends. `scored` [scores, 2]
    are rows and columns; the rest are indices into the scores:

    - `better`, `worse`, `weights` [comparisons]: what the pairwise losses are computed from;
    - `target_scores`, `target_values`, `target_weights` [targets];
    - `chosen`, `rejected`, `pair_trees` [pairs]: the last tokens of each pair's steps, by which
      accuracy is measured, and the position of its tree among those given.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    ends: torch.Tensor
    scored: torch.Tensor
    better: torch.Tensor
    worse: torch.Tensor
    weights: torch.Tensor
    target_scores: torch.Tensor
    target_values: torch.Tensor
    target_weights: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor
    pair_trees: torch.Tensor

    def to(self, device: torch.device) -> "Forward":
        return Forward(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class PlacedTree:
    """Tree `number` of those given, in `row` from column `start` on; its first score is number
    `first_score` of the pass."""

    number: int
    tree: PackedTree
    row: int
    start: int
    first_score: int


def forwards(trees: Sequence[PackedTree], max_tokens: int) -> list[Forward]:
    """Passes of at most `max_tokens` (padding included); every tree in exactly one row.

    Rows are as long as the longest tree of the pass, since attention costs the square of a row;
    much shorter trees have a pass of their own.
    """
    lengths = [len(tree.input_ids) for tree in trees]
    return [
        _forward(trees, rows)
        for group in group_by_length(lengths)
        for rows in _passes(lengths, group, max_tokens)
    ]


def group_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of `lengths`, longest first, in groups: none is shorter than `MIN_LENGTH_SHARE` of
    the first of its group."""
    groups: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if not groups or lengths[number] < MIN_LENGTH_SHARE * lengths[groups[-1][0]]:
            groups.append([])
        groups[-1].append(number)
    return groups


def _passes(
    lengths: Sequence[int], numbers: Sequence[int], max_tokens: int
) -> Iterator[list[list[int]]]:
    """Rows of trees for each pass, as many as fit into it."""
    longest = lengths[numbers[0]]
    rows = [[numbers[i] for i in row] for row in first_fit([lengths[n] for n in numbers], longest)]
    rows_per_pass = max(1, max_tokens // longest)
    for first in range(0, len(rows), rows_per_pass):
        yield rows[first : first + rows_per_pass]


def first_fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Bin packing: positions of `lengths` in rows of `room`, the longest first."""
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
    comparisons = [
        (p.first_score + better, p.first_score + worse, weight)
        for p in placed
        for better, worse, weight in p.tree.comparisons
    ]
    targets = [
        (p.first_score + token, value, weight)
        for p in placed
        for token, value, weight in p.tree.targets
    ]
    pairs = [
        (p.first_score + chosen, p.first_score + rejected, p.number)
        for p in placed
        for chosen, rejected, _ in p.tree.pairs
    ]
    return Forward(
        input_ids=_padded([[i for p in row for i in p.tree.input_ids] for row in by_row]),
        position_ids=_padded([[i for p in row for i in p.tree.position_ids] for row in by_row]),
        ends=_padded([[p.start + end for p in row for end in p.tree.ends] for row in by_row]),
        scored=torch.tensor(
            [(p.row, p.start + column) for p in placed for column in p.tree.scored]
        ),
        better=_indices([better for better, _, _ in comparisons]),
        worse=_indices([worse for _, worse, _ in comparisons]),
        weights=torch.tensor([weight for _, _, weight in comparisons]),
        target_scores=_indices([token for token, _, _ in targets]),
        target_values=torch.tensor([value for _, value, _ in targets]),
        target_weights=torch.tensor([weight for _, _, weight in targets]),
        chosen=_indices([chosen for chosen, _, _ in pairs]),
        rejected=_indices([rejected for _, rejected, _ in pairs]),
        pair_trees=_indices([number for _, _, number in pairs]),
    )


def _placed(trees: Sequence[PackedTree], rows: Sequence[Sequence[int]]) -> Iterator[PlacedTree]:
    first_score = 0
    for row, numbers in enumerate(rows):
        starts = accumulate((len(trees[number].input_ids) for number in numbers), initial=0)
        for number, start in zip(numbers, starts, strict=False):
            yield PlacedTree(number, trees[number], row, start, first_score)
            first_score += len(trees[number].scored)


def _indices(numbers: Sequence[int]) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.long)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
