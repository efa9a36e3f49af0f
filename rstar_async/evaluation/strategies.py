"""The registry of test-time strategies.

To add one, write a `Strategy` and name it in `BUILT_IN`; a package of its own names it in the
entry-point group `rstar_async.strategies` instead:

    [project.entry-points."rstar_async.strategies"]
    my_strategy = "my_package:MyStrategy"
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from rstar_async.errors import BadInput
from rstar_async.evaluation.beam import BeamSearch
from rstar_async.evaluation.guided import GuidedSampling
from rstar_async.evaluation.sampling import Greedy, Sampling
from rstar_async.evaluation.selection import (
    ADAPTIVE_MAJORITY,
    BEST_PPM,
    MAJORITY,
    MAJORITY_OF_BEST,
    PASS_AT_N,
    POOLED_MAJORITY,
    PPM_WEIGHTED,
)
from rstar_async.evaluation.strategy import PendingAttempt, Strategy

GROUP = "rstar_async.strategies"
NAME = re.compile(r"[a-z][a-z0-9_-]*")


class TreeSearch(Strategy):
    """Monte Carlo tree search: what the others are compared with. One tree is one trajectory."""

    name = "tree"
    title = "tree search"
    rules = (
        BEST_PPM,
        MAJORITY,
        POOLED_MAJORITY,
        PPM_WEIGHTED,
        MAJORITY_OF_BEST,
        PASS_AT_N,
        ADAPTIVE_MAJORITY,
    )

    async def run(self, attempt: PendingAttempt) -> None:
        """Search, or go on where an earlier process stopped; every expansion is stored at once."""
        await attempt.runner.search(attempt.search, attempt.problem, attempt.plan)


TREE = TreeSearch()
BUILT_IN: tuple[Strategy, ...] = (TREE, Greedy(), Sampling(), BeamSearch(), GuidedSampling())


@cache
def strategies() -> dict[str, Strategy]:
    """Every strategy by name: the built-in ones, then those of installed packages.

    Raises `BadInput` if one of these cannot be used.
    """
    return with_installed(entry_points(group=GROUP))


def baselines() -> list[Strategy]:
    """All that can be compared with the trees."""
    return [strategy for strategy in strategies().values() if strategy is not TREE]


def in_table_order(found: Iterable[Strategy]) -> list[Strategy]:
    """Strategies that give one trajectory an attempt come before those that give many."""
    return sorted(found, key=lambda strategy: strategy.width)


def with_installed(points: Iterable[EntryPoint]) -> dict[str, Strategy]:
    """The built-in strategies and those that `points` name."""
    found = {strategy.name: strategy for strategy in BUILT_IN}
    for point in sorted(points, key=lambda point: point.name):
        strategy = _load(point)
        if strategy.name in found:
            raise BadInput(f"two strategies are called {strategy.name!r}; uninstall {point.value}")
        found[strategy.name] = strategy
    return found


def _load(point: EntryPoint) -> Strategy:
    try:
        strategy = point.load()()
    except Exception as error:  # the code of another package may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise BadInput(f"cannot load the strategy {point.value}: {reason}") from error
    if not isinstance(strategy, Strategy):
        raise BadInput(f"{point.value}, an entry point of {GROUP}, is no subclass of Strategy")
    if not NAME.fullmatch(strategy.name) or strategy.name == "none":
        raise BadInput(
            f"{point.value}: a strategy cannot be called {strategy.name!r}; "
            "use lower-case letters, digits, - and _"
        )
    return strategy
