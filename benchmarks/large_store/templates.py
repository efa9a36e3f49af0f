"""The grown trees that are copied: from such that find no right answer to such that find hardly
another. They are searches of the run themselves, with seeds of their own."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rstar_async.config import Recipe
from rstar_async.seeding import search_id
from storage.database import Database
from storage.records import Pair, Problem, Search
from tests.view import generated

NODES_PER_TREE = 500
GROWN = 96
PAIRS_PER_TREE = 12


class Template(NamedTuple):
    """A stored tree and its search."""

    id: str
    expansions: int
    solved: bool


def templates(
    database: Database, recipe: Recipe, problems: Sequence[Problem], *, guided: bool
) -> list[Template]:
    """Grow and store them, by their share of right answers."""
    return [
        _template(database, recipe, problems[place % len(problems)], place, guided=guided)
        for place in range(GROWN)
    ]


def _template(
    database: Database, recipe: Recipe, problem: Problem, place: int, *, guided: bool
) -> Template:
    number, seed = 2 if guided else 1, recipe.seed + 1 + place
    id_ = search_id(recipe.name, number, "train", problem.id, seed)
    tree = generated.grown(id_, NODES_PER_TREE, skill=place / GROWN, guided=guided)
    solved = any(node.get("correct") for node in tree.nodes.values())
    search = Search(
        id=id_,
        run_id=recipe.name,
        round=number,
        problem_id=problem.id,
        purpose="train",
        seed=seed,
        policy_id=f"policy-{number - 1}",
        status="finished",
        rollouts=len(tree.expansions) // 4,
        expansions=len(tree.expansions),
        solved=solved,
        started_at=generated.START + 4000 * number,
        finished_at=generated.START + 4000 * number + 40,
        seconds=40.0,
        ended="rollouts",
    )
    pairs = itertools.islice(_pairs(recipe, number, tree), PAIRS_PER_TREE)
    database.commit(search, *tree.expansions, *tree.records(), *pairs)
    return Template(id_, len(tree.expansions), solved)


def _pairs(recipe: Recipe, number: int, tree: generated.Growth) -> Iterator[Pair]:
    """The best against the worst child of each node."""
    for made in tree.children.values():
        worst, *_, best = sorted(made, key=lambda path: float(str(tree.nodes[path]["value_sum"])))
        if tree.nodes[best]["value_sum"] != tree.nodes[worst]["value_sum"]:
            yield Pair(recipe.name, number, tree.search_id, best, worst, "step", 0.5)
