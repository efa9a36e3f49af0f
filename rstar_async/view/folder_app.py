"""The page over a folder of runs: the list and the comparison, and each run's own page below
`run/NAME/`."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rstar_async.errors import BadInput, RstarError
from rstar_async.reports.comparison import Comparison, compare
from rstar_async.reports.comparison_tables import NOTE, tables_of
from rstar_async.reports.run_summary import RunSummary
from rstar_async.reports.tables import Table
from rstar_async.view.access import Access
from rstar_async.view.app import failure, run_app, to_response
from rstar_async.view.files import Files
from rstar_async.view.guard import Guard
from rstar_async.view.pools import PoolMonitor
from rstar_async.view.run_folders import RunFolders

FIRST = "runs.html"
MAX_COMPARED = 12


class FolderPage(msgspec.Struct, frozen=True):
    folder: str
    runs: list[RunSummary]


class Series(msgspec.Struct, frozen=True):
    """The accuracy of one run by one method: round, value, and both ends of its interval."""

    run: str
    method: str
    points: list[tuple[int, float, float, float]]


class ComparisonPage(msgspec.Struct, frozen=True):
    """What `rstar compare` prints, and the curves."""

    note: str
    series: list[Series]
    tables: list[Table]


class FolderView:
    """The endpoints over a folder of runs, and the pages of its runs."""

    def __init__(self, runs: RunFolders) -> None:
        self._runs = runs
        self._readers = trio.CapacityLimiter(1)
        self._pages: dict[str, tuple[Any, ASGIApp]] = {}

    async def list_runs(self, request: Request) -> Response:
        return to_response(await self._in_thread(self._page))

    async def compare_runs(self, request: Request) -> Response:
        """`runs`: names of runs, divided by slashes; the others are compared with the first."""
        names = [name for name in request.query_params.get("runs", "").split("/") if name]
        if len(names) > MAX_COMPARED:
            return failure(HTTPStatus.BAD_REQUEST, f"at most {MAX_COMPARED} runs are compared")
        try:
            return to_response(await self._in_thread(partial(self._comparison, names)))
        except BadInput as error:
            return failure(HTTPStatus.BAD_REQUEST, str(error))

    async def run_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the page of the run that its address names."""
        try:
            page = await self._in_thread(partial(self._page_of, scope["path_params"]["name"]))
        except RstarError as error:
            await failure(HTTPStatus.NOT_FOUND, str(error))(scope, receive, send)
            return
        # The name is no parameter of the page's own endpoints.
        await page({**scope, "path_params": {}}, receive, send)

    def _page(self) -> FolderPage:
        return FolderPage(str(self._runs.folder), self._runs.summaries())

    def _comparison(self, names: list[str]) -> ComparisonPage:
        found = compare([run for name in names for run in self._runs.compared(name)])
        return ComparisonPage(NOTE, _series(found), [t for t in tables_of(found) if t.rows])

    def _page_of(self, name: str) -> ASGIApp:
        """Made anew when the store had been closed meanwhile."""
        database = self._runs.store(name)
        known, page = self._pages.get(name, (None, None))
        if known is not database or page is None:
            monitor = PoolMonitor(self._runs.home(name))
            page = run_app(database, monitor, in_folder=True)
            self._pages[name] = database, page
        return page

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(work, limiter=self._readers, abandon_on_cancel=True)


def build_folder_app(runs: RunFolders, access: Access) -> ASGIApp:
    """The page over a folder of runs that answers the requests that `access` allows."""
    view = FolderView(runs)
    routes = [
        Route("/api/folder", view.list_runs),
        Route("/api/comparison", view.compare_runs),
        Mount("/run/{name}", app=view.run_page),
        Route("/{path:path}", Files(first=FIRST).answer),
    ]
    return Guard(Starlette(routes=routes), access)


def _series(found: Comparison) -> list[Series]:
    methods = list(dict.fromkeys(one.method for run in found.runs for one in run.measured))
    return [
        Series(
            run.name,
            method,
            [
                (one.round, one.accuracy, one.low, one.high)
                for one in run.measured
                if one.method == method
            ],
        )
        for method in methods
        for run in found.runs
        if any(one.method == method for one in run.measured)
    ]
