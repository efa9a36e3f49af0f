"""What became of the steps of a round, counted once for a round whose searches are over.

Counting reads a row for each search of the round, and the trees of those that go on.
"""

from rstar_async.view.requests import RoundRequest
from rstar_async.view.responses import OutcomePage
from storage import queries
from storage.database import Database


class Outcomes:
    """Keeps the counts of rounds that no longer change. Not thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], OutcomePage] = {}

    def of_round(self, database: Database, request: RoundRequest) -> OutcomePage | None:
        """None if there is no such round."""
        key = (request.run, request.round)
        if key in self._kept:
            return self._kept[key]
        round_ = database.read_once(queries.round_by_number, *key)
        if round_ is None:
            return None
        counts = database.read_once(queries.step_counts, *key)
        page = OutcomePage(counts.statuses, counts.errors)
        if round_.searched_at is not None:
            self._kept[key] = page
        return page
