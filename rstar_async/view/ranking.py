"""Ranked solutions and preference pairs, with all their steps.

Rankings are cached: for good once the round's searches are finished, for a few seconds before.
"""

import time
from collections import OrderedDict

from rstar_async.view import responses
from rstar_async.view.requests import PairsRequest, SolutionsRequest
from storage import queries
from storage.database import Database
from storage.queries.ranking import Place, RankedAnswer
from storage.records import Node, Pair

MAX_RANKINGS = 32
FRESH_SECONDS = 5.0


class Rankings:
    """A cache of places of answers by run, round, correctness and order. Not thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, bool, bool], tuple[float, list[Place]]]
        self._kept = OrderedDict()

    def solutions(self, database: Database, request: SolutionsRequest) -> responses.SolutionPage:
        """A page of solutions with all their steps."""
        ranked = self._ranked(database, request)
        places = ranked[request.offset : request.offset + request.limit]
        page = database.read_once(queries.answers_at, places)
        return responses.SolutionPage(len(ranked), [_solution(database, each) for each in page])

    def _ranked(self, database: Database, request: SolutionsRequest) -> list[Place]:
        key = (request.run, request.round, request.correct, request.order == "worst")
        until, ranked = self._kept.get(key, (0.0, []))
        if until < time.monotonic():
            until = _fresh_until(database, request)
            ranked = _rank(database, request)
            self._kept[key] = (until, ranked)
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_RANKINGS:
            self._kept.popitem(last=False)
        return ranked


def pairs(database: Database, request: PairsRequest) -> responses.PairPage:
    """A page of preference pairs, each with the steps that both share."""
    found = database.read_once(
        queries.pair_page,
        request.run,
        request.round,
        kind=request.kind,
        split=request.split,
        search_id=request.search,
        offset=request.offset,
        limit=request.limit,
    )
    return responses.PairPage([pair_view(database, each.pair) for each in found])


def _fresh_until(database: Database, request: SolutionsRequest) -> float:
    found = database.read_once(queries.round_by_number, request.run, request.round)
    over = found is not None and found.searched_at is not None
    return float("inf") if over else time.monotonic() + FRESH_SECONDS


def _rank(database: Database, request: SolutionsRequest) -> list[Place]:
    return database.read_once(
        queries.ranking,
        request.run,
        request.round,
        correct=request.correct,
        worst=request.order == "worst",
    )


def _solution(database: Database, answer: RankedAnswer) -> responses.Solution:
    path = database.read_once(queries.steps_to, answer.search_id, answer.path)
    return responses.Solution(answer, _steps(path[1:]))


def pair_view(database: Database, pair: Pair) -> responses.PairView:
    """The pair with its question and all steps on the way to both of its sides."""
    search = database.read_once(queries.search_by_id, pair.search_id)
    problem = search and database.read_once(queries.problem_by_id, search.problem_id)
    chosen = database.read_once(queries.steps_to, pair.search_id, pair.chosen_path)
    rejected = database.read_once(queries.steps_to, pair.search_id, pair.rejected_path)
    shared = sum(good.path == bad.path for good, bad in zip(chosen, rejected, strict=False))
    return responses.PairView(
        pair,
        problem.question if problem else "",
        problem.id if problem else "",
        _steps(chosen[1:shared]),
        _steps(chosen[shared:]),
        _steps(rejected[shared:]),
    )


def _steps(path: list[Node]) -> list[responses.JsonObject]:
    return [responses.step_view(step) for step in path]
