"""Best and worst solutions, and preference pairs: whole ways through a tree.

To rank a round is seconds of work at a million nodes, so the result is kept: for good once the
round's search is over, for some seconds while it goes on.
"""

import time
from collections import OrderedDict

from rstar_async.view import shapes
from rstar_async.view.parameters import PairsAsked, SolutionsAsked
from storage import queries
from storage.database import Database
from storage.queries.dashboard_trees import PairWithNodes, RankedAnswer
from storage.records import Node

KEPT_RANKINGS = 32
FRESH_SECONDS = 5.0


class Rankings:
    """Ranked answers by run, round, correctness and order. For one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, bool, bool], tuple[float, list[RankedAnswer]]]
        self._kept = OrderedDict()

    def solutions(self, database: Database, asked: SolutionsAsked) -> shapes.SolutionPage:
        """A page of them, with all their steps."""
        ranked = self._ranked(database, asked)
        page = ranked[asked.offset : asked.offset + asked.limit]
        return shapes.SolutionPage(len(ranked), [_solution(database, each) for each in page])

    def _ranked(self, database: Database, asked: SolutionsAsked) -> list[RankedAnswer]:
        key = (asked.run, asked.round, asked.correct, asked.order == "worst")
        until, ranked = self._kept.get(key, (0.0, []))
        if until < time.monotonic():
            until = _until(database, asked)
            ranked = _rank(database, asked)
            self._kept[key] = (until, ranked)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_RANKINGS:
            self._kept.popitem(last=False)
        return ranked


def pairs(database: Database, asked: PairsAsked) -> shapes.PairPage:
    """Preferences with the steps before them, as the PPM read them."""
    found = database.read_once(
        queries.pair_page,
        asked.run,
        asked.round,
        kind=asked.kind,
        split=asked.split,
        search_id=asked.search,
        offset=asked.offset,
        limit=asked.limit,
    )
    return shapes.PairPage([_pair_view(database, each) for each in found])


def _until(database: Database, asked: SolutionsAsked) -> float:
    found = database.read_once(queries.round_by_number, asked.run, asked.round)
    over = found is not None and found.searched_at is not None
    return float("inf") if over else time.monotonic() + FRESH_SECONDS


def _rank(database: Database, asked: SolutionsAsked) -> list[RankedAnswer]:
    return database.read_once(
        queries.ranked_answers,
        asked.run,
        asked.round,
        correct=asked.correct,
        worst=asked.order == "worst",
    )


def _solution(database: Database, answer: RankedAnswer) -> shapes.Solution:
    way = database.read_once(queries.steps_to, answer.search_id, answer.path)
    return shapes.Solution(answer, _steps(way[1:]))


def _pair_view(database: Database, found: PairWithNodes) -> shapes.PairView:
    pair = found.pair
    search = database.read_once(queries.search_by_id, pair.search_id)
    problem = search and database.read_once(queries.problem_by_id, search.problem_id)
    chosen = database.read_once(queries.steps_to, pair.search_id, pair.chosen_path)
    rejected = database.read_once(queries.steps_to, pair.search_id, pair.rejected_path)
    shared = sum(good.path == bad.path for good, bad in zip(chosen, rejected, strict=False))
    return shapes.PairView(
        pair,
        problem.question if problem else "",
        problem.id if problem else "",
        _steps(chosen[1:shared]),
        _steps(chosen[shared:]),
        _steps(rejected[shared:]),
    )


def _steps(way: list[Node]) -> list[shapes.Schema]:
    return [shapes.step_view(step) for step in way]
