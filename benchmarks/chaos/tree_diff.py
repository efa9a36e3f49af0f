"""The trees of a store's searches, compared, and checked for what no crash may do to them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from storage import queries
from storage.database import Database, open_database
from storage.records import Expansion, Node, Search

# All columns of a node but measurements of time and memory, and of what a cache happened to hold.
COMPARED = (
    "path", "expansion", "depth", "text", "observation", "tokens", "observation_tokens", "status",
    "finish", "answer", "correct", "multiplicity", "score", "prior", "visits", "value_sum",
    "policy_id", "ppm_id", "seed", "exec_status", "exec_error", "stdout",
)  # fmt: skip

Leaf: TypeAlias = tuple[object, ...]


class Tree(msgspec.Struct, frozen=True):
    """One search with its nodes and its expansions."""

    search: Search
    nodes: list[Node]
    expansions: list[Expansion]

    @property
    def facts(self) -> set[Leaf]:
        """Equal for two trees that grew in the same way, with or without kills."""
        return {tuple(getattr(node, name) for name in COMPARED) for node in self.nodes}

    @property
    def lost(self) -> int:
        """Nodes of an expansion that are missing, and nodes whose parent is missing."""
        made = Counter(node.expansion for node in self.nodes)
        missing = sum(max(0, e.unique_samples - made[e.number]) for e in self.expansions)
        paths = {node.path for node in self.nodes}
        return missing + sum(_parent(n) not in paths for n in self.nodes if n.depth)

    @property
    def twice(self) -> int:
        """Nodes beyond those of their expansion."""
        expected = {0: 1, **{e.number: e.unique_samples for e in self.expansions}}
        made = Counter(node.expansion for node in self.nodes)
        return sum(max(0, count - expected.get(number, 0)) for number, count in made.items())

    @property
    def delivered_twice(self) -> int:
        """Expansions beyond the first of a node: a result that the tree took a second time."""
        return sum(count - 1 for count in Counter(e.path for e in self.expansions).values())


def read_trees(location: str, run: str) -> dict[str, Tree]:
    """All trees of a run, by search id."""
    with open_database(location, must_exist=True) as database:
        rounds = database.read(queries.rounds_of, run)
        found = [s for r in rounds for s in database.read(queries.searches_of, run, r.number)]
        return {search.id: _tree(database, search) for search in found}


def read_figures(location: str, run: str) -> dict[tuple[int, str], tuple[float, int]]:
    """pass@1 and how many problems it is over, by round and method."""
    with open_database(location, must_exist=True) as database:
        found = database.read(queries.evaluations_of, run)
    return {(e.round, e.method): (e.pass_at_1, e.problems) for e in found}


def different(one: Mapping[str, Tree], other: Mapping[str, Tree]) -> list[str]:
    """The searches whose trees differ, or are in one of the two stores only."""
    common = one.keys() & other.keys()
    differing = [name for name in common if one[name].facts != other[name].facts]
    return sorted([*differing, *(one.keys() ^ other.keys())])


def unfinished(trees: Iterable[Tree]) -> int:
    return sum(tree.search.status != "finished" for tree in trees)


def _tree(database: Database, search: Search) -> Tree:
    return Tree(
        search,
        database.read(queries.nodes_of, search.id),
        database.read(queries.expansions_of, search.id),
    )


def _parent(node: Node) -> str:
    return node.path.rpartition(".")[0]
