"""The routes. Everything under `api/` is JSON, everything else a file of the package."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from rstar_async.sanitize import to_json
from rstar_async.view import mistakes, pages, ranking, requests, responses
from rstar_async.view.access import Access
from rstar_async.view.files import Files
from rstar_async.view.guard import Guard
from rstar_async.view.outcomes import Outcomes
from rstar_async.view.pools import PoolMonitor
from rstar_async.view.requests import BadParameters
from rstar_async.view.timeline import Timeline, timeline
from rstar_async.view.trainings import Curve, Trainings
from rstar_async.view.worker_activity import WorkerActivity
from storage.database import Database
from storage.errors import Unavailable

log = logging.getLogger("rstar.view")

READERS = 4

A = TypeVar("A", bound=msgspec.Struct)
Handler = Callable[[Request], Awaitable[Response]]


class View:
    """The endpoints, over one store and the pools of one run; `in_folder` if its page is one of a
    folder of runs."""

    def __init__(self, database: Database, monitor: PoolMonitor, *, in_folder: bool) -> None:
        self.database = database
        self.monitor = monitor
        self.in_folder = in_folder
        self.rankings = ranking.Rankings()
        self.outcomes = Outcomes()
        self.trainings = Trainings(monitor.home) if monitor.home else None
        self.activity = WorkerActivity(monitor.home) if monitor.home else None
        self.readers = trio.CapacityLimiter(READERS)
        self.ranker = trio.CapacityLimiter(1)

    def routes(self) -> list[BaseRoute]:
        run, search = "/api/runs/{run}", "/api/searches/{search}"
        node = f"{search}/nodes/{{path}}"
        ask = self._endpoint
        return [
            Route("/api/runs", ask(requests.PageRequest, self._runs)),
            Route("/api/pools", self._pools),
            Route("/api/trainings", ask(requests.PageRequest, self._trainings)),
            Route(run, ask(requests.RunRequest, pages.overview)),
            Route(f"{run}/facets", ask(requests.RunRequest, pages.facets)),
            Route(f"{run}/problems", ask(requests.ProblemsRequest, pages.problems)),
            Route(f"{run}/recipe", ask(requests.RunRequest, pages.recipe)),
            Route(f"{run}/time", ask(requests.TimelineRequest, self._timeline, self.ranker)),
            Route(
                f"{run}/evaluations/{{evaluation}}/answers",
                ask(requests.AnswersRequest, pages.answers),
            ),
            Route(
                f"{run}/rounds/{{round}}/outcomes",
                ask(requests.RoundRequest, self.outcomes.of_round, self.ranker),
            ),
            Route(f"{run}/rounds/{{round}}/tokens", ask(requests.RoundRequest, pages.tokens)),
            Route(
                f"{run}/rounds/{{round}}/solutions",
                ask(requests.SolutionsRequest, self.rankings.solutions, self.ranker),
            ),
            Route(f"{run}/rounds/{{round}}/pairs", ask(requests.PairsRequest, ranking.pairs)),
            Route(
                f"{run}/rounds/{{round}}/mistakes", ask(requests.MistakesRequest, mistakes.mistakes)
            ),
            Route(search, ask(requests.SearchRequest, pages.search)),
            Route(f"{search}/tree", ask(requests.TreeRequest, pages.tree)),
            Route(f"{search}/statistics", ask(requests.TreeRequest, pages.statistics)),
            Route(f"{search}/find", ask(requests.FindRequest, pages.find)),
            Route(node, ask(requests.NodeRequest, pages.node)),
            Route(f"{node}/children", ask(requests.ChildrenRequest, pages.children)),
        ]

    def _endpoint(
        self,
        kind: type[A],
        page: Callable[[Database, A], Any],
        threads: trio.CapacityLimiter | None = None,
    ) -> Handler:
        """Validate the request, run `page` in one of `threads`, and answer with JSON."""
        limiter = threads or self.readers

        async def answer(request: Request) -> Response:
            query = request.query_params.multi_items()
            try:
                asked = requests.read(kind, request.path_params, query)
            except BadParameters as error:
                return failure(HTTPStatus.BAD_REQUEST, str(error))
            try:
                found = await _in_thread(partial(page, self.database, asked), limiter)
            except Unavailable as error:
                return failure(HTTPStatus.SERVICE_UNAVAILABLE, f"the store is unavailable: {error}")
            if found is None:
                return failure(HTTPStatus.NOT_FOUND, "there is no such thing in this store")
            return to_response(found)

        return answer

    def _runs(self, database: Database, asked: requests.PageRequest) -> responses.Runs:
        runs = pages.runs(database, asked)
        newest = pages.overview_of(database, runs[0]["id"]) if runs else None
        has_home = self.monitor.has_home
        return responses.Runs(database.name, has_home, self.in_folder, runs, newest)

    def _trainings(self, database: Database, asked: requests.PageRequest) -> list[Curve]:
        return self.trainings.curves() if self.trainings else []

    def _timeline(self, database: Database, asked: requests.TimelineRequest) -> Timeline | None:
        lines = self.activity.lines() if self.activity else []
        curves = self.trainings.curves() if self.trainings else []
        now = time.time() if self.monitor.is_live() else None
        return timeline(database, asked, lines, curves, now)

    async def _pools(self, request: Request) -> Response:
        return to_response(await self.monitor.status())


async def _in_thread(page: Callable[[], Any], limiter: trio.CapacityLimiter) -> Any:
    """A closed connection or a server that stops does not wait for the thread."""
    return await trio.to_thread.run_sync(page, limiter=limiter, abandon_on_cancel=True)


def build_app(database: Database, monitor: PoolMonitor, access: Access) -> ASGIApp:
    """The page as an ASGI application that answers the requests that `access` allows."""
    return Guard(run_app(database, monitor), access)


def run_app(database: Database, monitor: PoolMonitor, *, in_folder: bool = False) -> Starlette:
    """The same for any request: whoever includes it decides who may read."""
    view = View(database, monitor, in_folder=in_folder)
    routes = [*view.routes(), Route("/{path:path}", Files().answer)]
    return Starlette(routes=routes, exception_handlers={Exception: _broken})


def to_response(answer: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(to_json(answer), status, {"cache-control": "no-store"}, "application/json")


def failure(status: HTTPStatus, reason: str) -> Response:
    return to_response({"error": reason}, status)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("page failed", extra={"path": request.url.path}, exc_info=error)
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "a bug: `rstar view` logged it")
