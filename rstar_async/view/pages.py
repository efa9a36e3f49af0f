"""One function for each endpoint: from a checked request to its response.

Each reads a bounded page and runs in a thread; None means that the thing asked for does not exist.
"""

import msgspec

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from rstar_async.reports.gather import published_settings
from rstar_async.view import responses
from rstar_async.view.requests import (
    AnswersRequest,
    ChildrenRequest,
    FindRequest,
    NodeRequest,
    PageRequest,
    ProblemsRequest,
    RoundRequest,
    RunRequest,
    SearchRequest,
    TreeRequest,
)
from storage import queries
from storage.database import Database
from storage.queries.dashboard import ProblemFilter, SearchTotals
from storage.records import ModelVersion, Purpose


def runs(database: Database, request: PageRequest) -> list[responses.JsonObject]:
    """Newest first."""
    found = database.read_once(queries.runs)
    return [
        responses.run_card(run, len(database.read_once(queries.rounds_of, run.id)))
        for run in reversed(found)
    ]


def overview(database: Database, request: RunRequest) -> responses.Overview | None:
    return overview_of(database, request.run)


def overview_of(database: Database, run_id: str) -> responses.Overview | None:
    run = database.read_once(queries.run_by_id, run_id)
    if run is None:
        return None
    rounds = database.read_once(queries.rounds_of, run.id)
    totals = database.read_once(queries.search_totals, run.id)
    by_place = {(each.round, each.purpose): each for each in totals}
    return responses.Overview(
        responses.run_card(run, len(rounds)),
        [responses.RoundCard(r, *_both(by_place, r.number)) for r in rounds],
        database.read_once(queries.evaluations_of, run.id),
        [_shortened(version) for version in database.read_once(queries.model_versions_of, run.id)],
    )


def tokens(database: Database, request: RoundRequest) -> responses.Tokens:
    return responses.Tokens(database.read_once(queries.token_totals, request.run, request.round))


def facets(database: Database, request: RunRequest) -> responses.Facets:
    return responses.Facets(database.read_once(queries.facets, request.run))


def problems(database: Database, request: ProblemsRequest) -> responses.ProblemPage:
    wanted = ProblemFilter(
        request.round, request.purpose, request.kind, request.level, request.state, request.text
    )
    total, found = database.read_once(
        queries.problem_page,
        request.run,
        wanted,
        request.order,
        request.offset,
        request.limit,
        request.direction,
    )
    lines = [
        responses.ProblemLine(each.problem, [*map(responses.search_line, each.searches)])
        for each in found
    ]
    return responses.ProblemPage(total, lines)


def answers(database: Database, request: AnswersRequest) -> responses.AnswerPage:
    return responses.AnswerPage(
        *database.read_once(
            queries.answer_page,
            request.evaluation,
            request.outcome,
            request.offset,
            request.limit,
        )
    )


def recipe(database: Database, request: RunRequest) -> responses.RecipePage | None:
    """By dotted name; without the database's URL, which may hold a password."""
    run = database.read_once(queries.run_by_id, request.run)
    if run is None:
        return None
    usual = published_settings(as_toml_values(Recipe()))
    return responses.RecipePage(
        [
            responses.SettingLine(name, value, usual.get(name, ""))
            for name, value in published_settings(run.recipe).items()
        ]
    )


def search(database: Database, request: SearchRequest) -> responses.SearchPage | None:
    found = database.read_once(queries.search_by_id, request.search)
    if found is None:
        return None
    problem = database.read_once(queries.problem_by_id, found.problem_id)
    if problem is None:
        return None
    searches = database.read_once(queries.searches_of_problem, problem.id, found.purpose)
    own = next(each for each in searches if each.search.id == found.id)
    return responses.SearchPage(
        own.search,
        str(found.seed),
        problem,
        own.nodes,
        own.new_tokens,
        own.first_right,
        [*map(responses.search_line, searches)],
    )


def tree(database: Database, request: TreeRequest) -> responses.TreePage:
    page = database.read_once(
        queries.tree_page, request.search, request.since, request.after, request.limit
    )
    return responses.TreePage(page, page[-1].path if len(page) == request.limit else "")


def statistics(database: Database, request: TreeRequest) -> responses.Statistics | None:
    found = database.read_once(queries.search_by_id, request.search)
    if found is None:
        return None
    page = database.read_once(queries.statistics_page, request.search, request.after, request.limit)
    return responses.Statistics(
        found.status,
        found.solved,
        found.rollouts,
        found.expansions,
        found.cursor,
        page,
        page[-1][0] if len(page) == request.limit else "",
    )


def find(database: Database, request: FindRequest) -> responses.Paths:
    return responses.Paths(database.read_once(queries.matching_paths, request.search, request.text))


def node(database: Database, request: NodeRequest) -> responses.NodePage | None:
    path = database.read_once(queries.steps_to, request.search, request.path)
    if not path or path[-1].path != request.path:
        return None
    steps = [responses.step_view(step) for step in path]
    return responses.NodePage(steps[-1], steps)


def children(database: Database, request: ChildrenRequest) -> responses.StepPage:
    found = database.read_once(
        queries.children_of, request.search, request.path, request.offset, request.limit
    )
    return responses.StepPage([responses.step_view(each) for each in found])


def _both(
    totals: dict[tuple[int, Purpose], SearchTotals], number: int
) -> tuple[SearchTotals | None, SearchTotals | None]:
    return totals.get((number, "train")), totals.get((number, "evaluation"))


def _shortened(version: ModelVersion) -> ModelVersion:
    """The version without its probe, the token ids and values that check a loaded model, and with
    the number of its worst pairs instead of the pairs."""
    manifest = {key: value for key, value in version.manifest.items() if key != "probe"}
    if isinstance(pairs := manifest.get(responses.WORST_PAIRS), list):
        manifest[responses.WORST_PAIRS] = len(pairs)
    return msgspec.structs.replace(version, manifest=manifest)
