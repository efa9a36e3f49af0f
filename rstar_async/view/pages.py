"""The answers: one plain function an endpoint, from what was asked to what is told.

Each reads a bounded page and runs in a thread; None means that there is no such thing.
"""

import msgspec

from rstar_async.view import shapes
from rstar_async.view.parameters import (
    Asked,
    FindAsked,
    NodeAsked,
    ProblemsAsked,
    RoundAsked,
    RunAsked,
    SearchAsked,
    SiblingsAsked,
    TreeAsked,
)
from storage import queries
from storage.database import Database
from storage.queries.dashboard import ProblemFilter, SearchTotals
from storage.records import ModelVersion, Purpose


def runs(database: Database, asked: Asked) -> list[shapes.Schema]:
    """Newest first."""
    found = database.read_once(queries.runs)
    return [
        shapes.run_card(run, len(database.read_once(queries.rounds_of, run.id)))
        for run in reversed(found)
    ]


def overview(database: Database, asked: RunAsked) -> shapes.Overview | None:
    return overview_of(database, asked.run)


def overview_of(database: Database, run_id: str) -> shapes.Overview | None:
    run = database.read_once(queries.run_by_id, run_id)
    if run is None:
        return None
    rounds = database.read_once(queries.rounds_of, run.id)
    totals = database.read_once(queries.search_totals, run.id)
    by_place = {(each.round, each.purpose): each for each in totals}
    return shapes.Overview(
        shapes.run_card(run, len(rounds)),
        [shapes.RoundCard(r, *_both(by_place, r.number)) for r in rounds],
        database.read_once(queries.evaluations_of, run.id),
        [_slim(version) for version in database.read_once(queries.model_versions_of, run.id)],
    )


def tokens(database: Database, asked: RoundAsked) -> shapes.Tokens:
    return shapes.Tokens(database.read_once(queries.token_totals, asked.run, asked.round))


def facets(database: Database, asked: RunAsked) -> shapes.Facets:
    return shapes.Facets(database.read_once(queries.facets, asked.run))


def problems(database: Database, asked: ProblemsAsked) -> shapes.ProblemPage:
    wanted = ProblemFilter(
        asked.round, asked.purpose, asked.kind, asked.level, asked.state, asked.text
    )
    total, found = database.read_once(
        queries.problem_page, asked.run, wanted, asked.order, asked.offset, asked.limit
    )
    lines = [
        shapes.ProblemLine(each.problem, [*map(shapes.search_line, each.searches)])
        for each in found
    ]
    return shapes.ProblemPage(total, lines)


def search(database: Database, asked: SearchAsked) -> shapes.SearchPage | None:
    found = database.read_once(queries.search_by_id, asked.search)
    if found is None:
        return None
    problem = database.read_once(queries.problem_by_id, found.problem_id)
    if problem is None:
        return None
    tried = database.read_once(queries.searches_of_problem, problem.id, found.purpose)
    own = next(each for each in tried if each.search.id == found.id)
    return shapes.SearchPage(
        own.search,
        str(found.seed),
        problem,
        own.nodes,
        own.new_tokens,
        own.first_right,
        [*map(shapes.search_line, tried)],
    )


def tree(database: Database, asked: TreeAsked) -> shapes.TreePage:
    page = database.read_once(
        queries.tree_page, asked.search, asked.since, asked.after, asked.limit
    )
    return shapes.TreePage(page, page[-1].path if len(page) == asked.limit else "")


def statistics(database: Database, asked: TreeAsked) -> shapes.Statistics | None:
    found = database.read_once(queries.search_by_id, asked.search)
    if found is None:
        return None
    page = database.read_once(queries.statistics_page, asked.search, asked.after, asked.limit)
    return shapes.Statistics(
        found.status,
        found.solved,
        found.rollouts,
        found.expansions,
        found.cursor,
        page,
        page[-1][0] if len(page) == asked.limit else "",
    )


def find(database: Database, asked: FindAsked) -> shapes.Paths:
    return shapes.Paths(database.read_once(queries.matching_paths, asked.search, asked.text))


def node(database: Database, asked: NodeAsked) -> shapes.NodePage | None:
    way = database.read_once(queries.steps_to, asked.search, asked.path)
    if not way or way[-1].path != asked.path:
        return None
    steps = [shapes.step_view(step) for step in way]
    return shapes.NodePage(steps[-1], steps)


def children(database: Database, asked: SiblingsAsked) -> shapes.StepPage:
    found = database.read_once(
        queries.children_of, asked.search, asked.path, asked.offset, asked.limit
    )
    return shapes.StepPage([shapes.step_view(each) for each in found])


def _both(
    totals: dict[tuple[int, Purpose], SearchTotals], number: int
) -> tuple[SearchTotals | None, SearchTotals | None]:
    return totals.get((number, "train")), totals.get((number, "evaluation"))


def _slim(version: ModelVersion) -> ModelVersion:
    """Without the probe: token ids and values that only loading a model needs."""
    manifest = {key: value for key, value in version.manifest.items() if key != "probe"}
    return msgspec.structs.replace(version, manifest=manifest)
