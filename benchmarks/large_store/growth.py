"""What a node takes on the disk when a search stores it: with the changes of values that follow,
which PostgreSQL writes as new rows.

Trees grow beside one another, and each expansion is a commit, as in a run.
"""

from collections.abc import Iterator, Sequence

from benchmarks.large_store.size import size_of
from benchmarks.large_store.templates import NODES_PER_TREE
from rstar_async.config import Recipe
from rstar_async.data.problems import problems_of_round
from rstar_async.seeding import search_id
from storage.database import Database
from storage.records import (
    NodeStatistics,
    Problem,
    Record,
    Round,
    Run,
    Search,
    SearchProgress,
    SearchStatus,
)
from tests.view.generated import Growth

TREES = 64


def bytes_of_a_node(database: Database, recipe: Recipe) -> float:
    """Let trees grow in a new store; bytes a node, with everything that belongs to its tree."""
    problems = problems_of_round(recipe, 1)
    run = Run(recipe.name, {}, recipe.seed, "benchmark")
    database.commit(run, Round(recipe.name, 1, "searching", "policy"), *problems)
    before = database.read(size_of)
    searches = [_search(recipe, problems[n % len(problems)], n) for n in range(TREES)]
    database.commit(*searches)
    growing = [_steps(search.id, n / TREES) for n, search in enumerate(searches)]
    while growing:
        commits = [(tree, next(tree, None)) for tree in growing]
        database.write([rows for _, rows in commits if rows is not None])
        growing = [tree for tree, rows in commits if rows is not None]
    after = database.read(size_of)
    return (after.bytes - before.bytes) / (after.nodes - before.nodes)


def _search(recipe: Recipe, problem: Problem, seed: int) -> Search:
    id_ = search_id(recipe.name, 1, "train", problem.id, seed)
    return Search(id_, recipe.name, 1, problem.id, "train", seed, "policy")


def _steps(search: str, skill: float) -> Iterator[Sequence[Record]]:
    """The commits of one search."""
    tree = Growth(search, 1, skill, guided=True)
    yield [*tree.records(), _progress(tree, "running")]
    while len(tree.nodes) < NODES_PER_TREE and (made := tree.expand()):
        changed = _to_root(tree, made[0]) if any(_is_answer(tree, path) for path in made) else ()
        yield [tree.expansions[-1], *tree.records(made), *changed, _progress(tree, "running")]
    yield [_progress(tree, "finished")]


def _progress(tree: Growth, status: SearchStatus) -> SearchProgress:
    return SearchProgress(tree.search_id, status, 0, len(tree.expansions))


def _is_answer(tree: Growth, path: str) -> bool:
    return tree.nodes[path]["status"] == "answer"


def _to_root(tree: Growth, path: str) -> Iterator[NodeStatistics]:
    """The new values of all nodes above `path`."""
    while path := path.rpartition(".")[0]:
        (node,) = tree.records([path])
        yield NodeStatistics(tree.search_id, path, node.visits, node.value_sum)
