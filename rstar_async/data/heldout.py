"""Which problems of a file are set aside for measuring where the recipe does not say. Pure."""

from collections.abc import Sequence

from msgspec import structs

from rstar_async.seeding import digest
from storage.records import Problem

ONE_IN = 5
MOST = 100


def set_aside(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The problems to train on and a fifth of them to measure on, 100 at most, both in their order.

    Questions alone decide, so every run over the same file measures on the same problems, also if
    the file is sorted. Fewer than five problems are all trained on.
    """
    count = min(len(problems) // ONE_IN, MOST)
    ranked = sorted(problems, key=lambda problem: digest("heldout", problem.question))
    chosen = {problem.id for problem in ranked[:count]}
    return (
        [problem for problem in problems if problem.id not in chosen],
        [structs.replace(p, split="heldout") for p in problems if p.id in chosen],
    )
