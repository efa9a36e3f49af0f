"""What every study works with."""

from dataclasses import dataclass

from rstar_async.search.runner import SearchRunner
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Who grows trees and compares answers, and who keeps them."""

    runner: SearchRunner
    store: Store
