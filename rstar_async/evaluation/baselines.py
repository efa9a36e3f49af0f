"""All methods at one problem: first the trees, then the others until they have spent as much."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from rstar_async.evaluation.runner import Attempts
from rstar_async.evaluation.settings import Method
from storage.queries import Attempt
from storage.records import Problem

MOST_ATTEMPTS = 4096


@dataclass(slots=True)
class ProblemRecord:
    """Every attempt at one problem, by method."""

    problem: Problem
    attempts: dict[Method, list[Attempt]] = field(default_factory=dict)


async def run_baselines(
    attempts: Attempts,
    problem: Problem,
    trees: int,
    rivals: tuple[Method, ...],
    made: Callable[[Method, Attempt], None],
) -> ProblemRecord:
    """Make `trees` trees, and of each rival method as many attempts as use their tokens.

    `greedy` is one attempt. `made` is told of each attempt as it comes.
    """
    record = ProblemRecord(problem)
    await _make(attempts, record, "tree", trees, made)
    budget = _tokens(record.attempts["tree"])
    async with trio.open_nursery() as nursery:
        for method in rivals:
            if method == "greedy":
                nursery.start_soon(_make, attempts, record, method, 1, made)
            else:
                nursery.start_soon(_spend, attempts, record, method, budget, made)
    return record


async def _spend(
    attempts: Attempts,
    record: ProblemRecord,
    method: Method,
    budget: int,
    made: Callable[[Method, Attempt], None],
) -> None:
    """Attempts until the budget is used, never less. How many come next depends on stored figures
    alone, so a second life asks for the same ones."""
    missing = 1
    while missing:
        await _make(attempts, record, method, missing, made)
        missing = still_missing(record.attempts[method], budget)


def still_missing(found: list[Attempt], budget: int) -> int:
    """How many more attempts will use the rest of the budget, judged by those so far. Pure."""
    spent = _tokens(found)
    if spent >= budget or not spent or found[-1].search.status == "failed":
        return 0
    wanted = math.ceil((budget - spent) / (spent / len(found)))
    return min(wanted, MOST_ATTEMPTS - len(found))


async def _make(
    attempts: Attempts,
    record: ProblemRecord,
    method: Method,
    count: int,
    made: Callable[[Method, Attempt], None],
) -> None:
    """`count` more attempts at once, kept in the order of their numbers."""
    before = record.attempts.setdefault(method, [])
    more: dict[int, Attempt] = {}

    async def make(number: int) -> None:
        more[number] = await attempts.make(method, record.problem, number)
        made(method, more[number])

    async with trio.open_nursery() as nursery:
        for number in range(len(before) + 1, len(before) + count + 1):
            nursery.start_soon(make, number)
    before.extend(more[number] for number in sorted(more))


def _tokens(found: list[Attempt]) -> int:
    return sum(attempt.new_tokens for attempt in found)
