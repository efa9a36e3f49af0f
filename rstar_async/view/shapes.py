"""What the browser is told. Fields are named as on the page; long texts are cut and say so.

Seeds go as text: JavaScript counts exactly only up to 2^53.
"""

from typing import Any

import msgspec

from storage.queries.viewer import Facet, SearchTotals, TokenTotals
from storage.queries.viewer_trees import RankedAnswer, TreeNode
from storage.records import Evaluation, ModelVersion, Node, Pair, Problem, Round, Run, Search

MOST_CHARACTERS = 20_000


class RunCard(msgspec.Struct, frozen=True):
    """A run in the list of runs. `seed` as text."""

    id: str
    seed: str
    code_version: str
    created_at: float
    rounds: int


class Runs(msgspec.Struct, frozen=True):
    """The first thing a page asks. `has_pools`: whether workers' status can be asked for."""

    database: str
    has_pools: bool
    runs: list[RunCard]


class RoundCard(msgspec.Struct, frozen=True):
    """One round with the sums of its searches, by purpose."""

    round: Round
    train: SearchTotals | None
    evaluation: SearchTotals | None


class Overview(msgspec.Struct, frozen=True):
    """All that the first page needs, without the sums that take longer."""

    run: RunCard
    rounds: list[RoundCard]
    evaluations: list[Evaluation]
    models: list[ModelVersion]


class Tokens(msgspec.Struct, frozen=True):
    """Tokens and nodes of a round, by purpose."""

    totals: list[TokenTotals]


class SearchLine(msgspec.Struct, frozen=True):
    """One search in a list: enough for a square and its tooltip."""

    id: str
    round: int
    status: str
    solved: bool | None
    rollouts: int
    expansions: int
    nodes: int
    tokens: int
    seconds: float
    first_right: int | None


class ProblemLine(msgspec.Struct, frozen=True):
    problem: Problem
    searches: list[SearchLine]


class ProblemPage(msgspec.Struct, frozen=True):
    total: int
    problems: list[ProblemLine]


class Facets(msgspec.Struct, frozen=True):
    facets: list[Facet]


class SearchPage(msgspec.Struct, frozen=True):
    """One search and what surrounds it."""

    search: Search
    seed: str
    problem: Problem
    nodes: int
    tokens: int
    first_right: int | None
    others: list[SearchLine]


class TreePage(msgspec.Struct, frozen=True):
    """`after` is where the next page starts; "" at the end."""

    nodes: list[TreeNode]
    after: str


class Statistics(msgspec.Struct, frozen=True):
    """N and W of visited nodes, and where the search stands."""

    status: str
    solved: bool | None
    rollouts: int
    expansions: int
    cursor: str
    nodes: list[tuple[str, int, float]]
    after: str


class Paths(msgspec.Struct, frozen=True):
    paths: list[str]


class StepView(msgspec.Struct, frozen=True):
    """One node in full. `cut` names the texts that were shortened."""

    path: str
    depth: int
    expansion: int
    status: str
    finish: str
    answer: str
    correct: bool | None
    multiplicity: int
    score: float | None
    prior: float | None
    visits: int
    value_sum: float
    text: str
    observation: str
    stdout: str
    exec_status: str
    exec_error: str
    tokens: int
    observation_tokens: int
    policy_id: str
    ppm_id: str | None
    seed: str
    cpu_seconds: float
    peak_mib: float
    reused_steps: int
    created_at: float
    cut: list[str]


class NodePage(msgspec.Struct, frozen=True):
    """A node and the way to it: the root first, the node itself last."""

    node: StepView
    way: list[StepView]


class StepPage(msgspec.Struct, frozen=True):
    steps: list[StepView]


class Solution(msgspec.Struct, frozen=True):
    answer: RankedAnswer
    steps: list[StepView]


class SolutionPage(msgspec.Struct, frozen=True):
    total: int
    solutions: list[Solution]


class PairView(msgspec.Struct, frozen=True):
    """What the PPM read: the question, then `shared`, then one way or the other."""

    pair: Pair
    question: str
    problem_id: str
    shared: list[StepView]
    chosen: list[StepView]
    rejected: list[StepView]


class PairPage(msgspec.Struct, frozen=True):
    pairs: list[PairView]


def run_card(run: Run, rounds: int) -> RunCard:
    return RunCard(run.id, str(run.seed), run.code_version, run.created_at, rounds)


def step_view(node: Node) -> StepView:
    """The node, its texts no longer than the page can bear."""
    texts = {name: getattr(node, name) for name in _TEXTS}
    cut = [name for name, text in texts.items() if len(text) > MOST_CHARACTERS]
    same: dict[str, Any] = {name: getattr(node, name) for name in _SAME}
    return StepView(
        **same,
        **{name: text[:MOST_CHARACTERS] for name, text in texts.items()},
        tokens=len(node.tokens),
        observation_tokens=len(node.observation_tokens),
        seed=str(node.seed),
        cut=cut,
    )


_TEXTS = ("text", "observation", "stdout", "exec_error", "answer")
_OWN = {*_TEXTS, "tokens", "observation_tokens", "seed", "cut"}
_SAME = [f.name for f in msgspec.structs.fields(StepView) if f.name not in _OWN]
