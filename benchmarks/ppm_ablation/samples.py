"""Sampled solutions of fresh problems, as an evaluation of the run stored them."""

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rstar_async.data.preferences import PairRules
from rstar_async.evaluation.sampling import Sampling
from rstar_async.search.tree import NodeStatus
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.dataset import StoredTree, labelled_tree
from rstar_async.trainer.packing import LabelledTree, Target
from storage import queries
from storage.records import Problem, Search


@dataclass(frozen=True)
class Solution:
    """One sampled solution; `path` is that of its answer in tree number `tree`, "" if it came to
    none."""

    tree: int
    path: str = ""
    answer: str = ""
    is_correct: bool = False


@dataclass(frozen=True)
class Sampled:
    """The samples of one problem in a random order, and the trees that have their steps."""

    trees: Sequence[LabelledTree]
    solutions: Sequence[Solution]


def read_samples(
    context: TrainingContext, round_number: int, questions: Collection[str], count: int
) -> list[Sampled]:
    """`count` samples of each of the `questions`, from the evaluation of the models of a round."""
    database, width = context.database, Sampling().width
    problems = {p.id: p for p in database.read(queries.problems_of, context.run)}
    encoder = context.encoder(context.newest_policy(round_number))
    by_problem: dict[str, list[Search]] = defaultdict(list)
    searches = database.read(
        queries.searches_of, context.run, round_number, "evaluation", "finished"
    )
    for search in searches:
        found = database.read(queries.attempt, search.id)
        if found is not None and found.width == width:
            by_problem[search.problem_id].append(search)
    return [
        _sampled(context, problems[id_], found, encoder, count)
        for id_, found in sorted(by_problem.items())
        if problems[id_].question in questions
    ]


def _sampled(
    context: TrainingContext,
    problem: Problem,
    searches: Sequence[Search],
    encoder: Encoder,
    count: int,
) -> Sampled:
    trees: list[LabelledTree] = []
    solutions: list[Solution] = []
    for number, search in enumerate(searches):
        stored = _stored(context, problem, search)
        alive = (NodeStatus.LIVE, NodeStatus.ANSWER)
        scored = [n.path for n in stored.tree.nodes.values() if n.status in alive]
        trees.append(
            labelled_tree(stored, encoder, PairRules(), [Target(path, 0.0) for path in scored])
        )
        solutions += _solutions(stored, number)
    random.Random(problem.id).shuffle(solutions)
    return Sampled(trees, solutions[:count])


def _stored(context: TrainingContext, problem: Problem, search: Search) -> StoredTree:
    nodes = context.database.read(queries.nodes_of, search.id)
    return StoredTree(
        search,
        problem.question,
        {node.path: node for node in nodes},
        context.style_of(search.policy_id),
        problem.source,
        context.domain.parse_step,
    )


def _solutions(stored: StoredTree, number: int) -> list[Solution]:
    width = Sampling().width
    found = [
        Solution(number, node.path, node.answer, node.correct is True)
        for node in stored.nodes.values()
        if node.status == "answer"
        for _ in range(node.multiplicity)
    ]
    return found + [Solution(number)] * (width - len(found))
