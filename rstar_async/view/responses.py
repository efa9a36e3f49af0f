"""The JSON of each endpoint. Long texts are cut, and `cut` names them.

Seeds are text, since JavaScript's numbers are exact only up to 2^53.
"""

from typing import Any, TypeAlias

import msgspec

from rstar_async.view.differences import DifferenceKind
from storage.queries.answer_pages import AnswerWithProblem
from storage.queries.dashboard import Facet, SearchSummary, SearchTotals, TokenTotals
from storage.queries.dashboard_trees import TreeNode
from storage.queries.ranking import RankedAnswer
from storage.records import Evaluation, ModelVersion, Node, Pair, Problem, Round, Run, Search

MAX_CHARACTERS = 20_000
# In the manifest of a PPM.
WORST_PAIRS = "worst_pairs"


# The fields of a record by name, with the changes that the docstring of its function names.
JsonObject: TypeAlias = dict[str, Any]


class Runs(msgspec.Struct, frozen=True):
    """The first response, which includes the newest run.

    `has_home`: whether the run's folder is known, for pools and trainings; `in_folder`: whether a
    list of the runs of a folder lies two levels above.
    """

    database: str
    has_home: bool
    in_folder: bool
    runs: list[JsonObject]
    newest: "Overview | None"


class RoundCard(msgspec.Struct, frozen=True):
    """One round with the sums of its searches, by purpose."""

    round: Round
    train: SearchTotals | None
    evaluation: SearchTotals | None


class Overview(msgspec.Struct, frozen=True):
    """Everything on the first page except the sums that take longer."""

    run: JsonObject
    rounds: list[RoundCard]
    evaluations: list[Evaluation]
    models: list[ModelVersion]


class Tokens(msgspec.Struct, frozen=True):
    """Tokens and nodes of a round, by purpose."""

    totals: list[TokenTotals]


class ProblemLine(msgspec.Struct, frozen=True):
    problem: Problem
    searches: list[JsonObject]


class ProblemPage(msgspec.Struct, frozen=True):
    total: int
    problems: list[ProblemLine]


class Facets(msgspec.Struct, frozen=True):
    facets: list[Facet]


class AnswerPage(msgspec.Struct, frozen=True):
    """Of an evaluation; `total` counts all with the wanted outcome."""

    total: int
    answers: list[AnswerWithProblem]


class OutcomePage(msgspec.Struct, frozen=True):
    """The steps of a round's training searches: nodes by status, failed code by kind of error."""

    nodes: dict[str, int]
    errors: dict[str, int]


class SettingLine(msgspec.Struct, frozen=True):
    """A setting as text, and what it usually is."""

    name: str
    value: str
    usual: str


class RecipePage(msgspec.Struct, frozen=True):
    settings: list[SettingLine]


class SearchPage(msgspec.Struct, frozen=True):
    """One search, its problem, and the other searches of that problem."""

    search: Search
    seed: str
    problem: Problem
    nodes: int
    tokens: int
    first_right: int | None
    others: list[JsonObject]


class TreePage(msgspec.Struct, frozen=True):
    """`after` is where the next page starts; "" at the end."""

    nodes: list[TreeNode]
    after: str


class Statistics(msgspec.Struct, frozen=True):
    """N and W of visited nodes, and the state of the search."""

    status: str
    solved: bool | None
    rollouts: int
    expansions: int
    cursor: str
    nodes: list[tuple[str, int, float]]
    after: str


class Paths(msgspec.Struct, frozen=True):
    paths: list[str]


class NodePage(msgspec.Struct, frozen=True):
    """A node and the path to it: the root first, the node itself last."""

    node: JsonObject
    way: list[JsonObject]


class StepPage(msgspec.Struct, frozen=True):
    steps: list[JsonObject]


class Solution(msgspec.Struct, frozen=True):
    answer: RankedAnswer
    steps: list[JsonObject]


class SolutionPage(msgspec.Struct, frozen=True):
    total: int
    solutions: list[Solution]


class PairView(msgspec.Struct, frozen=True):
    """What the PPM read: the question, then the `shared` steps, then either continuation."""

    pair: Pair
    question: str
    problem_id: str
    shared: list[JsonObject]
    chosen: list[JsonObject]
    rejected: list[JsonObject]


class PairPage(msgspec.Struct, frozen=True):
    pairs: list[PairView]


class Mistake(msgspec.Struct, frozen=True):
    """A pair in the wrong order: of which kind the first difference of its steps is, the two
    tokens there, and the raw scores of the chosen and the rejected step."""

    view: PairView
    kind: DifferenceKind
    tokens: tuple[str, str]
    scores: tuple[float, float]


class MistakePage(msgspec.Struct, frozen=True):
    """`kinds` counts all of them, `total` those of the wanted kind."""

    ppm: str
    metrics: JsonObject
    kinds: list[tuple[DifferenceKind, int]]
    total: int
    mistakes: list[Mistake]


def run_card(run: Run, rounds: int) -> JsonObject:
    """A run without its recipe, with the number of its rounds."""
    fields = msgspec.structs.asdict(run)
    del fields["recipe"]
    return fields | {"seed": str(run.seed), "rounds": rounds}


def search_line(found: SearchSummary) -> JsonObject:
    """A search in a list, with its nodes and tokens so far."""
    fields = msgspec.structs.asdict(found.search)
    sums = {"nodes": found.nodes, "tokens": found.new_tokens, "first_right": found.first_right}
    return fields | sums | {"seed": str(found.search.seed)}


def step_view(node: Node) -> JsonObject:
    """A node with the numbers of its tokens instead of their ids; `cut` names shortened texts."""
    fields = msgspec.structs.asdict(node)
    cut = [name for name in _TEXTS if len(fields[name]) > MAX_CHARACTERS]
    changed = {name: fields[name][:MAX_CHARACTERS] for name in cut}
    counts = {name: len(fields[name]) for name in ("tokens", "observation_tokens")}
    return fields | changed | counts | {"seed": str(node.seed), "cut": cut}


_TEXTS = ("text", "observation", "stdout", "exec_error", "answer")
