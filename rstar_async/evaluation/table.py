"""The results of an evaluation as rows: strategy, rule and number of trajectories. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.evaluation.aggregation import Trajectories
from rstar_async.evaluation.intervals import (
    Share,
    mean_difference,
    ratio_of_means,
    share_with_interval,
)
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.selection import (
    ADAPTIVE_MAJORITY,
    MAJORITY,
    PASS_AT_1,
    Proposal,
    Rule,
)
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.strategy import Strategy

# By problem, then by the name of the strategy.
ByProblem: TypeAlias = Mapping[str, Mapping[str, Trajectories]]
# How many trajectories of a strategy a problem gets.
Size: TypeAlias = Callable[[Mapping[str, Trajectories]], int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One problem's part of a figure: the answer chosen in each block of trajectories; `drawn`
    trajectories, tokens and seconds are means over the blocks."""

    chosen: Sequence[Proposal | None]
    drawn: float
    tokens: float
    seconds: float

    @property
    def rate(self) -> float:
        """The share of blocks whose answer is right."""
        return sum(one is not None and one.is_correct is True for one in self.chosen) / len(
            self.chosen
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One figure over all problems. `trajectories` is 0 for the policy alone; `correct` is how
    many problems are answered right, on average over blocks; the others are means over problems."""

    method: str
    rule: str
    trajectories: int
    cells: Mapping[str, Cell]

    @property
    def share(self) -> Share:
        return share_with_interval([cell.rate for cell in self.cells.values()])

    @property
    def correct(self) -> int:
        return round(sum(cell.rate for cell in self.cells.values()))

    @property
    def drawn(self) -> float:
        return self._mean([cell.drawn for cell in self.cells.values()])

    @property
    def tokens(self) -> float:
        return self._mean([cell.tokens for cell in self.cells.values()])

    @property
    def seconds(self) -> float:
        return self._mean([cell.seconds for cell in self.cells.values()])

    def _mean(self, figures: Sequence[float]) -> float:
        return sum(figures) / (len(figures) or 1)


def rows(
    results: ByProblem, strategies: Sequence[Strategy], counts: Sequence[int], *, has_ppm: bool
) -> Iterator[Row]:
    """Every row of the table. `strategies` are those that `results` has, the trees among them."""
    for strategy in strategies:
        if strategy.alone:
            yield _row(results, strategy, PASS_AT_1, 0, lambda _: 1)
    for count in counts:
        for strategy in strategies:
            for rule in strategy.rules:
                if has_ppm or not rule.needs_ppm:
                    yield _row(results, strategy, rule, count, equal_tokens(strategy, count))


def equal_tokens(strategy: Strategy, trees: int) -> Size:
    """How many trajectories of `strategy` use the tokens of `trees` trees on that problem, or just
    more: a baseline is never given less."""

    def size(of_problem: Mapping[str, Trajectories]) -> int:
        if strategy is TREE:
            return trees
        budget = trees * of_problem[TREE.name].tokens_each
        each = of_problem[strategy.name].tokens_each
        return max(1, math.ceil(budget / each - 1e-9)) if each else 1

    return size


def lead(row: Row, rows: Sequence[Row], rule: Rule) -> Share | None:
    """How far `row` is above `rule` over samples with as many tokens, problem by problem; None for
    the row that this is itself, for those of the policy alone, and where there are no such
    samples."""
    wanted = (Sampling.name, rule.name, row.trajectories)
    if not row.trajectories or (row.method, row.rule, row.trajectories) == wanted:
        return None
    for other in rows:
        if (other.method, other.rule, other.trajectories) == wanted:
            theirs = [other.cells[problem].rate for problem in row.cells]
            return mean_difference([cell.rate for cell in row.cells.values()], theirs)
    return None


def token_savings(rows: Sequence[Row]) -> tuple[Share, Share]:
    """What adaptive consistency takes of the tokens of all trees, and its accuracy less that of
    the majority of all of them, problem by problem; both for the most trees that `rows` have."""
    few = _largest(rows, ADAPTIVE_MAJORITY)
    every = _largest(rows, MAJORITY)
    return (
        ratio_of_means([cell.tokens for cell in few], [cell.tokens for cell in every]),
        mean_difference([cell.rate for cell in few], [cell.rate for cell in every]),
    )


def _largest(rows: Sequence[Row], rule: Rule) -> Sequence[Cell]:
    found = [row for row in rows if (row.method, row.rule) == (TREE.name, rule.name)]
    return [*max(found, key=lambda row: row.trajectories).cells.values()]


def _row(results: ByProblem, strategy: Strategy, rule: Rule, trajectories: int, size: Size) -> Row:
    cells = {
        problem: _cell(of_problem[strategy.name], rule, size(of_problem))
        for problem, of_problem in results.items()
    }
    return Row(strategy.name, rule.name, trajectories, cells)


def _cell(trajectories: Trajectories, rule: Rule, size: int) -> Cell:
    choices = [rule.apply(block) for block in trajectories.blocks(size)]
    drawn = sum(count for _, count in choices) / len(choices)
    return Cell(
        [chosen for chosen, _ in choices],
        drawn,
        drawn * trajectories.tokens_each,
        drawn * trajectories.seconds_each,
    )
