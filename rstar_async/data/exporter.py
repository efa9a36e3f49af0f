"""What training files are made of, read from a stored round: solutions, pairs, problems, trees."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from rstar_async.config import Recipe
from rstar_async.config.schema import known_settings
from rstar_async.data.reference import tree_record
from rstar_async.data.schemas import Comparison, Question, Solution
from rstar_async.data.trajectories import best_trajectories
from rstar_async.domains.base import Domain
from rstar_async.domains.registry import domain_of
from rstar_async.search.paths import ROOT_PATH
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.tree import Selection, Tree
from rstar_async.text.prompts import Prompts
from storage import queries
from storage.database import Database
from storage.records import Node, Pair, Problem, Search


@dataclass(frozen=True)
class StoredRound:
    """One searched round of a run, read tree by tree because it may not fit into memory."""

    database: Database
    run_id: str
    number: int

    @cached_property
    def domain(self) -> Domain:
        """The domain of the run's recipe."""
        run = self.database.read(queries.run_by_id, self.run_id)
        values = known_settings(run.recipe)[0] if run else {}
        return domain_of(msgspec.convert(values, Recipe))

    def problems(self) -> Iterator[Question]:
        """All problems of the run."""
        for found in self.database.read(queries.problems_of, self.run_id):
            yield Question(found.question, found.answer, found.level, found.kind)

    def trees(self) -> Iterator[dict[str, Any]]:
        """Every finished tree in the reference's format."""
        for problem, search in self._searches():
            nodes = self.database.read(queries.nodes_of, search.id)
            yield tree_record(problem.question, problem.answer, nodes)

    def solutions(self, per_problem: int) -> Iterator[Solution]:
        """The best right solutions of each problem by mean Q, different programs only."""
        by_problem: dict[str, list[tuple[Problem, Search]]] = defaultdict(list)
        for problem, search in self._searches():
            by_problem[problem.id].append((problem, search))
        for found in by_problem.values():
            yield from self._best(found, per_problem)

    def comparisons(self) -> Iterator[Comparison]:
        """The pairs that the round's PPM was trained and measured on."""
        by_search: dict[str, list[Pair]] = defaultdict(list)
        for pair in self.database.read(queries.pairs_of, self.run_id, self.number):
            by_search[pair.search_id].append(pair)
        questions = {search.id: problem.question for problem, search in self._searches()}
        for search_id, pairs in by_search.items():
            nodes = {n.path: n for n in self.database.read(queries.nodes_of, search_id)}
            yield from comparisons_of(questions[search_id], nodes, pairs, self.domain.prompts)

    def _best(self, found: list[tuple[Problem, Search]], per_problem: int) -> Iterator[Solution]:
        nodes: dict[str, dict[str, Node]] = {}
        trees: dict[str, Tree] = {}
        for _, search in found:
            rows = self.database.read(queries.nodes_of, search.id)
            nodes[search.id] = {node.path: node for node in rows}
            trees[search.id] = tree_from_nodes(rows, Selection(), self.domain.parse_step)
        for best in best_trajectories(trees, per_problem):
            question = found[0][0].question
            response = text_to(best.path, nodes[best.search_id]).strip("\n")
            yield Solution(question, response, self.domain.prompts)

    def _searches(self) -> Iterator[tuple[Problem, Search]]:
        problems = {p.id: p for p in self.database.read(queries.problems_of, self.run_id)}
        found = self.database.read(
            queries.searches_of, self.run_id, self.number, "train", "finished"
        )
        for search in found:
            yield problems[search.problem_id], search


def comparisons_of(
    question: str, nodes: Mapping[str, Node], pairs: Sequence[Pair], prompts: Prompts
) -> Iterator[Comparison]:
    """The pairs of one tree as texts. Pure. Counts are of these pairs; the reference counts before
    it filters."""
    groups: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        parent = pair.chosen_path.rpartition(".")[0] if pair.kind == "step" else ROOT_PATH
        groups[pair.kind, parent].append(pair)
    for (kind, parent), members in groups.items():
        counts = len({p.chosen_path for p in members}), len({p.rejected_path for p in members})
        for pair in members:
            if kind == "step":
                prompt = prompts.around(question) + text_to(parent, nodes)
                chosen, rejected = (
                    _text_of(nodes[pair.chosen_path]),
                    _text_of(nodes[pair.rejected_path]),
                )
            else:
                prompt = prompts.question_prefix + question
                chosen = prompts.question_suffix + text_to(pair.chosen_path, nodes)
                rejected = prompts.question_suffix + text_to(pair.rejected_path, nodes)
            yield Comparison(prompt, chosen, rejected, *counts)


def text_to(path: str, nodes: Mapping[str, Node]) -> str:
    """The text from the first step to the node, with the interpreter's output. Pure."""
    parts = path.split(".")
    paths = [".".join(parts[: end + 1]) for end in range(1, len(parts))]
    return "".join(_text_of(nodes[one]) for one in paths)


def _text_of(node: Node) -> str:
    return node.text + node.observation
