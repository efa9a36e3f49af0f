"""What every study works with."""

from dataclasses import dataclass

from rstar_async.answers.checker import Checker
from rstar_async.search.runner import SearchRunner
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Who grows trees, who keeps them, and who compares answers."""

    coordinator: SearchRunner
    store: Store
    checker: Checker
