"""What every study works with."""

from dataclasses import dataclass

from rstar_async.answers.checker import Checker
from rstar_async.search.runner import Coordinator
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """Who grows trees, who keeps them, and who compares answers."""

    coordinator: Coordinator
    store: Store
    checker: Checker
