"""Imports trees of the reference code into a store, to be viewed, reported on and exported."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from rstar_async.data.files import read_rows
from rstar_async.data.preferences import preferences
from rstar_async.data.reference import TREE, adds_up, nodes_of_record
from rstar_async.data.rows import Row
from rstar_async.domains.columns import text_of
from rstar_async.errors import BadInput
from rstar_async.launch.home import prepare_home
from rstar_async.sanitize import shown
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.tree import Selection
from rstar_async.seeding import search_id
from storage.database import open_database
from storage.records import (
    Expansion,
    ModelVersion,
    Node,
    Pair,
    Problem,
    Record,
    Round,
    Run,
    Search,
    problem_id,
)

ROUND = 1
POLICY = "imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """How much was imported, and how many of the trees have visits or values that do not add up."""

    trees: int
    nodes: int
    pairs: int
    uneven: int


def import_trees(source: Path, home: Path) -> Imported:
    """Store every tree of the file as round 1 of a run in `home`; a second import changes nothing.

    `BadInput` names the first row that is no tree; the trees before it are kept.
    """
    recipe = Recipe(name=home.absolute().name, home=str(home.absolute()))
    prepare_home(recipe)
    counts: Counter[str] = Counter()
    with open_database(recipe.database_url) as database:
        database.commit(*_run_records(recipe, source))
        for tree in _trees(recipe.name, source):
            database.commit(*tree.records())
            counts.update(type(record).__name__ for record in tree.records())
            counts["uneven"] += not adds_up(tree.nodes)
    if not counts["Search"]:
        raise BadInput(f"{source} holds no trees")
    return Imported(counts["Search"], counts["Node"], counts["Pair"], counts["uneven"])


@dataclass(frozen=True, slots=True)
class ImportedTree:
    """One tree as a finished search."""

    problem: Problem
    search: Search
    nodes: list[Node]

    def records(self) -> list[Record]:
        return [self.problem, self.search, *self._expansions(), *self.nodes, *self._pairs()]

    def _expansions(self) -> Iterator[Expansion]:
        """Every node with children was expanded once; what that cost is not known."""
        made = Counter(node.expansion for node in self.nodes if node.depth)
        parents = {node.expansion: node.path.rpartition(".")[0] for node in self.nodes}
        for number, children in sorted(made.items()):
            yield Expansion(self.search.id, number, parents[number], 0, children, children)

    def _pairs(self) -> Iterator[Pair]:
        run, search = self.search.run_id, self.search.id
        for found in preferences(tree_from_nodes(self.nodes, Selection())):
            yield Pair(run, ROUND, search, found.chosen, found.rejected, found.kind, found.weight)


def _run_records(recipe: Recipe, source: Path) -> list[Record]:
    """A run with one closed round. Its policy has no weights here."""
    now = time.time()
    settings = {"imported": source.name}
    return [
        Run(recipe.name, as_toml_values(recipe), recipe.seed, ""),
        Round(recipe.name, ROUND, "closed", POLICY, None, settings, now, now, now, now),
        ModelVersion(
            POLICY, recipe.name, "policy", ROUND, None, "", "pruned", "trees come without models"
        ),
    ]


def _trees(run: str, source: Path) -> Iterator[ImportedTree]:
    """A repeated question is another tree over the same problem."""
    seen: dict[str, Counter[str]] = {}
    for where, row in read_rows(source):
        question, answer = (_text(row, name, where) for name in ("question", "answer"))
        answers = seen.setdefault(question, Counter())
        if answers and answer not in answers:
            raise BadInput(
                f"{where}: the answer is {shown(answer)}, but an earlier tree over this question "
                f"has {shown(next(iter(answers)))}"
            )
        answers[answer] += 1
        problem = Problem(
            problem_id(run, question), run, question, answer, source=source.name, split="train"
        )
        id_ = search_id(run, ROUND, "train", problem.id, answers[answer])
        nodes = nodes_of_record(row, id_, where)
        yield ImportedTree(problem, _search(problem, id_, answers[answer], nodes), nodes)


def _search(problem: Problem, id_: str, seed: int, nodes: list[Node]) -> Search:
    now = time.time()
    return Search(
        id=id_,
        run_id=problem.run_id,
        round=ROUND,
        problem_id=problem.id,
        purpose="train",
        seed=seed,
        policy_id=POLICY,
        status="finished",
        expansions=max(node.expansion for node in nodes),
        solved=any(node.correct for node in nodes),
        started_at=now,
        finished_at=now,
    )


def _text(row: Row, name: str, where: str) -> str:
    if name not in row:
        raise BadInput(f"{where}: no {name!r}; a tree has question, answer and {TREE!r}")
    return text_of(row[name], name, where)
