"""The results of a study as rows: method, rule and number of trajectories. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.evaluation import selection
from rstar_async.evaluation.aggregation import Trajectories
from rstar_async.evaluation.intervals import (
    Share,
    mean_difference,
    ratio_of_means,
    share_with_interval,
)
from rstar_async.evaluation.selection import Proposal, Rule
from rstar_async.evaluation.settings import Method

Blocks: TypeAlias = Callable[[Trajectories, int], Sequence[Sequence[Proposal]]]

# What is shown of each method: the name of the rule, the rule, whether it needs a PPM, and what it
# chooses among, which for trees can be more than one answer each.
TREE_RULES: tuple[tuple[str, Rule, bool, Blocks], ...] = (
    ("best PPM", selection.best_ppm, True, Trajectories.blocks),
    ("majority", selection.majority, False, Trajectories.blocks),
    ("majority of all answers", selection.majority, False, Trajectories.pooled),
    ("PPM-weighted", selection.ppm_weighted, True, Trajectories.blocks),
    ("majority of best 4", selection.majority_of_best, True, Trajectories.blocks),
    ("pass@n", selection.oracle, False, Trajectories.blocks),
)
UNTIL_SURE = f"majority until {100 * selection.SURE:g} % sure"
RIVAL_RULES: tuple[tuple[Method, str, Rule, bool], ...] = (
    ("beam", "best PPM", selection.best_ppm, True),
    ("sample", "best PPM", selection.best_ppm, True),
    ("sample", "majority", selection.majority, False),
    ("sample", "pass@n", selection.oracle, False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `trajectories` is 0 for the policy alone; `drawn` is how many trajectories of
    this method a problem got on average; tokens and seconds are per problem. `chosen` has the
    choices for each problem, one for every block of trajectories; `correct` is how many problems
    are answered right, on average over the blocks."""

    method: Method
    rule: str
    trajectories: int
    drawn: float
    share: Share
    correct: int
    tokens: float
    seconds: float
    chosen: Mapping[str, Sequence[Proposal | None]]


Results = Mapping[str, Mapping[Method, Trajectories]]
# How many trajectories of a method a problem gets.
Size: TypeAlias = Callable[[Mapping[Method, Trajectories]], int]


def rows(results: Results, counts: Sequence[int], *, has_ppm: bool) -> Iterator[Row]:
    """Every row of the table; `results` has the trajectories of each problem by method."""
    for method in ("greedy", "sample"):
        if _has(results, method):
            yield _row(results, method, "pass@1", _first, 0, _just(1))
    for count in counts:
        for name, rule, needs_ppm, blocks in TREE_RULES:
            if has_ppm or not needs_ppm:
                yield _row(results, "tree", name, rule, count, _just(count), blocks)
        yield _adaptive_row(results, count)
        for method, name, rule, needs_ppm in RIVAL_RULES:
            if _has(results, method) and (has_ppm or not needs_ppm):
                yield _row(results, method, name, rule, count, equal_tokens(method, count))


def _just(trees: int) -> Size:
    return lambda _: trees


def equal_tokens(method: Method, trees: int) -> Size:
    """How many trajectories of `method` use the tokens of `trees` trees on that problem, or just
    more: a rival is never given less."""

    def size(of_problem: Mapping[Method, Trajectories]) -> int:
        budget = trees * of_problem["tree"].tokens_each
        each = of_problem[method].tokens_each
        return max(1, math.ceil(budget / each - 1e-9)) if each else 1

    return size


def _row(
    results: Results,
    method: Method,
    name: str,
    rule: Rule,
    trajectories: int,
    size: Size,
    blocks: Blocks = Trajectories.blocks,
) -> Row:
    sizes: list[int] = []
    tokens = seconds = 0.0
    chosen: dict[str, list[Proposal | None]] = {}
    for problem, of_problem in results.items():
        pool = of_problem[method]
        drawn = min(size(of_problem), len(pool.proposals) or 1)
        chosen[problem] = [rule(block) for block in blocks(pool, drawn)]
        sizes.append(drawn)
        tokens += drawn * pool.tokens_each
        seconds += drawn * pool.seconds_each
    rates = [sum(map(_is_right, found)) / len(found) for found in chosen.values()]
    count = len(results) or 1
    return Row(
        method,
        name,
        trajectories,
        sum(sizes) / count,
        share_with_interval(rates),
        round(sum(rates)),
        tokens / count,
        seconds / count,
        chosen,
    )


def _adaptive_row(results: Results, count: int) -> Row:
    """Majority among as many trees as it takes, `count` at most, one after the other."""
    drawn: list[float] = []
    tokens = seconds = 0.0
    chosen: dict[str, list[Proposal | None]] = {}
    for problem, of_problem in results.items():
        pool = of_problem["tree"]
        taken = [selection.until_sure(block) for block in pool.drawn(count)]
        chosen[problem] = [selection.majority([p for p in few if p is not None]) for few in taken]
        drawn.append(sum(map(len, taken)) / len(taken))
        tokens += drawn[-1] * pool.tokens_each
        seconds += drawn[-1] * pool.seconds_each
    rates = [sum(map(_is_right, found)) / len(found) for found in chosen.values()]
    size = len(results) or 1
    share = share_with_interval(rates)
    return Row(
        "tree",
        UNTIL_SURE,
        count,
        sum(drawn) / size,
        share,
        round(sum(rates)),
        tokens / size,
        seconds / size,
        chosen,
    )


def token_savings(results: Results, count: int) -> tuple[Share, Share]:
    """What drawing until sure takes of the tokens of all `count` trees, and its accuracy less that
    of the majority of all of them, problem by problem."""
    few_tokens, all_tokens, few_right, all_right = [], [], [], []
    for of_problem in results.values():
        pool = of_problem["tree"]
        blocks = pool.drawn(count)
        taken = [selection.until_sure(block) for block in blocks]
        few_tokens.append(pool.tokens_each * sum(map(len, taken)) / len(taken))
        all_tokens.append(pool.tokens_each * len(blocks[0]))
        few_right.append(_majority_rate(taken))
        all_right.append(_majority_rate(blocks))
    return ratio_of_means(few_tokens, all_tokens), mean_difference(few_right, all_right)


def _majority_rate(blocks: Sequence[Sequence[Proposal | None]]) -> float:
    chosen = [selection.majority([one for one in block if one is not None]) for block in blocks]
    return sum(map(_is_right, chosen)) / len(chosen)


def _first(found: Sequence[Proposal]) -> Proposal | None:
    return found[0] if found else None


def _is_right(choice: Proposal | None) -> bool:
    return choice is not None and choice.is_correct is True


def _has(results: Results, method: Method) -> bool:
    return bool(results) and all(method in of_problem for of_problem in results.values())
