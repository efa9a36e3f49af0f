"""Adding up one tree. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from storage.sums.histograms import bin_of

LONGEST_KIND = 100
Counts = dict[str, dict[str, int]]


class TreeNode(NamedTuple):
    """What of a node is added up."""

    path: str
    parent: str
    depth: int
    expansion: int
    status: str
    correct: bool | None
    prior: float | None
    visits: int
    value_sum: float
    exec_status: str
    exec_error: str
    cpu_seconds: float

    @property
    def q(self) -> float:
        return self.value_sum / self.visits if self.visits > 0 else 0.0


class Spent(NamedTuple):
    """Sums over the expansions of a tree."""

    expansions: int
    new_tokens: int
    prompt_tokens: int
    cached_tokens: int
    reachable_tokens: int
    generate_seconds: float
    execute_seconds: float
    score_seconds: float


class Extremes(NamedTuple):
    """The answers with the highest and the lowest mean Q: their paths, None without answers."""

    best: str | None = None
    best_q: float | None = None
    worst: str | None = None
    worst_q: float | None = None


class SearchSums(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `search_sums`. `counts` are those of `counts_of`."""

    search_id: str
    expansions: int = 0
    nodes: int = 0
    right_answers: int = 0
    wrong_answers: int = 0
    first_right: int | None = None
    new_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reachable_tokens: int = 0
    generate_seconds: float = 0.0
    execute_seconds: float = 0.0
    score_seconds: float = 0.0
    cpu_seconds: float = 0.0
    shared_runs: int = 0
    best_right: str | None = None
    best_right_q: float | None = None
    worst_right: str | None = None
    worst_right_q: float | None = None
    best_wrong: str | None = None
    best_wrong_q: float | None = None
    worst_wrong: str | None = None
    worst_wrong_q: float | None = None
    counts: Counts = {}


def add_up(search_id: str, spent: Spent, nodes: Sequence[TreeNode]) -> SearchSums:
    """The sums of one tree."""
    sides, mean_q = _sides(nodes), _mean_q(nodes)
    right, wrong = sides["right"], sides["wrong"]
    of_right, of_wrong = _extremes(right, mean_q), _extremes(wrong, mean_q)
    return SearchSums(
        search_id=search_id,
        **spent._asdict(),
        nodes=sum(node.depth > 0 for node in nodes),
        right_answers=len(right),
        wrong_answers=len(wrong),
        first_right=min((node.expansion for node in right), default=None),
        cpu_seconds=sum(node.cpu_seconds for node in nodes),
        shared_runs=sum(node.exec_status == "ok" and node.cpu_seconds == 0 for node in nodes),
        best_right=of_right.best,
        best_right_q=of_right.best_q,
        worst_right=of_right.worst,
        worst_right_q=of_right.worst_q,
        best_wrong=of_wrong.best,
        best_wrong_q=of_wrong.best_q,
        worst_wrong=of_wrong.worst,
        worst_wrong_q=of_wrong.worst_q,
        counts=counts_of(nodes),
    )


def counts_of(nodes: Sequence[TreeNode]) -> Counts:
    """Nodes by `status`, code runs by `code` outcome, failed ones by `error`, and bins of `q` and
    `prior` for right answers, wrong answers and other steps; the root is none."""
    failed = [node for node in nodes if node.exec_status not in ("", "ok")]
    found = {
        "status": Counter(node.status for node in nodes if node.depth > 0),
        "code": Counter(node.exec_status for node in nodes if node.exec_status),
        "error": Counter(error_kind(node.exec_status, node.exec_error) for node in failed),
    }
    for side, members in _sides(nodes).items():
        q = Counter(bin_of(node.value_sum / node.visits) for node in members if node.visits > 0)
        prior = Counter(bin_of(node.prior) for node in members if node.prior is not None)
        found[f"q {side}"] = Counter({str(place): count for place, count in q.items()})
        found[f"prior {side}"] = Counter({str(place): count for place, count in prior.items()})
    return {group: dict(counted) for group, counted in found.items() if counted}


def error_kind(status: str, error: str) -> str:
    """What ended a step: `NameError`, `timeout` … Programs may name their errors as they like."""
    kind = error.partition(":")[0] if status == "exception" else status
    return kind[:LONGEST_KIND] or status


def _sides(nodes: Sequence[TreeNode]) -> dict[str, list[TreeNode]]:
    answers = [node for node in nodes if node.status == "answer"]
    return {
        "right": [node for node in answers if node.correct is True],
        "wrong": [node for node in answers if node.correct is False],
        "steps": [node for node in nodes if node.status == "live"],
    }


def _mean_q(nodes: Sequence[TreeNode]) -> dict[str, float]:
    """Of each path from below the root to a node."""
    total = {"": 0.0}
    for node in sorted(nodes, key=lambda node: node.depth):
        total[node.path] = total.get(node.parent, 0.0) + (node.q if node.depth > 0 else 0.0)
    return {node.path: total[node.path] / max(1, node.depth) for node in nodes}


def _extremes(answers: Sequence[TreeNode], mean_q: dict[str, float]) -> Extremes:
    """Of equal ones the first path."""
    if not answers:
        return Extremes()
    paths = sorted(node.path for node in answers)
    best = max(paths, key=lambda path: mean_q[path])
    worst = min(paths, key=lambda path: mean_q[path])
    return Extremes(best, mean_q[best], worst, mean_q[worst])
