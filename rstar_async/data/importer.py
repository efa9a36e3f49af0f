"""Imports trees of the reference code into a store, to be viewed, reported on and exported."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from rstar_async.data.files import Row, read_rows
from rstar_async.data.preferences import preferences
from rstar_async.data.reference import TREE, nodes_of_record
from rstar_async.errors import BadInput
from rstar_async.launch.home import prepare_home
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.tree import Selection
from rstar_async.seeding import search_id
from storage.database import open_database
from storage.records import Node, Pair, Problem, Record, Round, Run, Search, problem_id

ROUND = 1
POLICY = "imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """How much was imported."""

    trees: int
    nodes: int
    pairs: int


def import_trees(source: Path, home: Path) -> Imported:
    """Store every tree of the file as round 1 of a run in `home`; a second import changes nothing.

    `BadInput` names the first row that is no tree; the trees before it are kept.
    """
    recipe = Recipe(name=home.absolute().name, home=str(home.absolute()))
    prepare_home(recipe)
    counts: Counter[str] = Counter()
    with open_database(recipe.database_url) as database:
        database.commit(
            Run(recipe.name, as_toml_values(recipe), recipe.seed, ""),
            Round(recipe.name, ROUND, "closed", POLICY, settings={"imported": source.name}),
        )
        for records in _records(recipe.name, source):
            database.commit(*records)
            counts.update(type(record).__name__ for record in records)
    return Imported(counts["Search"], counts["Node"], counts["Pair"])


def _records(run: str, source: Path) -> Iterator[list[Record]]:
    """The records of each tree. A repeated question is another tree over the same problem."""
    seen: Counter[str] = Counter()
    for where, row in read_rows(source):
        question, answer = (_text(row, name, where) for name in ("question", "answer"))
        seen[question] += 1
        problem = Problem(
            problem_id(run, question), run, question, answer, source=source.name, split="train"
        )
        search = search_id(run, ROUND, "train", problem.id, seen[question])
        nodes = nodes_of_record(row, search, where)
        yield [
            problem,
            _search(run, problem, search, seen[question], nodes),
            *nodes,
            *_pairs(run, search, nodes),
        ]


def _search(run: str, problem: Problem, search: str, seed: int, nodes: list[Node]) -> Search:
    return Search(
        id=search,
        run_id=run,
        round=ROUND,
        problem_id=problem.id,
        purpose="train",
        seed=seed,
        policy_id=POLICY,
        status="finished",
        expansions=max(node.expansion for node in nodes),
        solved=any(node.correct for node in nodes),
    )


def _pairs(run: str, search: str, nodes: list[Node]) -> Iterator[Pair]:
    tree = tree_from_nodes(nodes, Selection())
    for found in preferences(tree):
        yield Pair(run, ROUND, search, found.chosen, found.rejected, found.kind, found.weight)


def _text(row: Row, name: str, where: str) -> str:
    if name not in row:
        raise BadInput(f"{where}: no {name!r}; a tree has question, answer and {TREE!r}")
    return str(row[name])
