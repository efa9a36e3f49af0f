"""The records of the store: frozen structs with one field for each column.

A record read back equals the record written. Records are immutable and writing one twice is
harmless (the first wins). Later changes are `…Progress`, `…Standing` or `…Statistics` records with
absolute values, so writing them again after a crash changes nothing.
Times are seconds since 1970 (UTC) by a clock that may jump, so no duration is a difference of them:
durations are stored as `seconds`. Seeds and counts fit in 63 bits.
"""

import hashlib
import json
import time
from typing import Any, Literal, TypeAlias

import msgspec

Split: TypeAlias = Literal["train", "heldout"]
RoundStatus: TypeAlias = Literal["searching", "searched", "trained", "closed"]
Purpose: TypeAlias = Literal["train", "evaluation"]
SearchStatus: TypeAlias = Literal["waiting", "running", "finished", "failed"]
NodeStatus: TypeAlias = Literal[
    "root", "live", "answer", "code_error", "too_deep", "too_long", "unfinished", "malformed"
]
ModelKind: TypeAlias = Literal["policy", "ppm"]
ModelStatus: TypeAlias = Literal["published", "refused", "withdrawn", "pruned"]
PairKind: TypeAlias = Literal["step", "trajectory"]
Settings: TypeAlias = dict[str, Any]


def content_id(*parts: str | int | None) -> str:
    """16 hex digits that depend on `parts` alone."""
    text = json.dumps(parts, ensure_ascii=True).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def problem_id(run_id: str, question: str) -> str:
    """The id of a question within a run; a question asked twice is one problem."""
    return content_id(run_id, question)


def _now() -> Any:
    return msgspec.field(default_factory=time.time)


class Run(msgspec.Struct, frozen=True):
    """One self-evolution from a base model; `id` is the name that the user gave it."""

    id: str
    recipe: Settings
    seed: int
    code_version: str
    created_at: float = _now()


class Problem(msgspec.Struct, frozen=True):
    """A question with a known answer. Problems of benchmarks are `heldout`; `source` names it."""

    id: str
    run_id: str
    question: str
    answer: str
    kind: str = ""
    level: str = ""
    source: str = ""
    split: Split = "train"


class Round(msgspec.Struct, frozen=True):
    """searching → searched → trained → closed; number 0 is the bootstrap.

    `policy_id` and `ppm_id` are the models that search in it; `seconds` is how long it has taken,
    pauses between runs left out, None if that was not measured.
    """

    run_id: str
    number: int
    status: RoundStatus
    policy_id: str
    ppm_id: str | None = None
    settings: Settings = {}
    started_at: float = _now()
    searched_at: float | None = None
    trained_at: float | None = None
    closed_at: float | None = None
    seconds: float | None = None


class RoundProgress(msgspec.Struct, frozen=True):
    """A round's new status, times and seconds. What is None stays as it was.

    `searched_at` is written in one commit with the last records of the round's searches, so a
    trainer that sees it sees all of them.
    """

    run_id: str
    number: int
    status: RoundStatus | None
    searched_at: float | None = None
    trained_at: float | None = None
    closed_at: float | None = None
    seconds: float | None = None


class Search(msgspec.Struct, frozen=True):
    """One tree over one problem.

    `cursor` has the paths of the nodes that are being expanded, separated by blanks; `ended` says
    what ended the search: rollouts, exhausted, converged, or the bound that was reached; `failure`
    says why it failed, "" if it did not. `pruned_at` is when the texts of nodes that no training
    used were removed (`storage.maintenance.pruning`).
    """

    id: str
    run_id: str
    round: int
    problem_id: str
    purpose: Purpose
    seed: int
    policy_id: str
    ppm_id: str | None = None
    status: SearchStatus = "waiting"
    rollouts: int = 0
    expansions: int = 0
    cursor: str = ""
    solved: bool | None = None
    answer: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    seconds: float = 0.0
    ended: str = ""
    pruned_at: float | None = None
    failure: str = ""


class SearchProgress(msgspec.Struct, frozen=True):
    """The current state of a search: replaces these fields of its `Search`."""

    search_id: str
    status: SearchStatus
    rollouts: int
    expansions: int
    cursor: str = ""
    solved: bool | None = None
    answer: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    seconds: float = 0.0
    ended: str = ""
    failure: str = ""


class Expansion(msgspec.Struct, frozen=True):
    """One expansion of the node `path` by `samples` sampled steps; numbers count from 1.

    `reachable_tokens` of `prompt_tokens` had been computed before, so that a perfect prefix cache
    would have served them; `cached_tokens` were served.
    """

    search_id: str
    number: int
    path: str
    seed: int
    samples: int
    unique_samples: int
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reachable_tokens: int = 0
    new_tokens: int = 0
    generate_seconds: float = 0.0
    execute_seconds: float = 0.0
    score_seconds: float = 0.0
    score_prompt_tokens: int = 0
    score_cached_tokens: int = 0
    created_at: float = _now()


class Node(msgspec.Struct, frozen=True):
    """One step. `path` names it: "0" is the root, "0.1" its first child, "0.1.3" …

    `expansion` is the number of the expansion that made it (0 for the root). `observation` is the
    executor's output behind `text`, with its tags. `score` is the raw PPM output, `prior` its
    value in the tree. `exec_status` is "" for a step that was not executed.
    """

    search_id: str
    path: str
    expansion: int
    depth: int
    text: str
    observation: str
    tokens: tuple[int, ...]
    observation_tokens: tuple[int, ...]
    status: NodeStatus
    finish: str = ""
    answer: str = ""
    correct: bool | None = None
    multiplicity: int = 1
    score: float | None = None
    prior: float | None = None
    visits: int = 0
    value_sum: float = 0.0
    policy_id: str = ""
    ppm_id: str | None = None
    seed: int = 0
    exec_status: str = ""
    exec_error: str = ""
    stdout: str = ""
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    reused_steps: int = 0
    created_at: float = _now()


class NodeStatistics(msgspec.Struct, frozen=True):
    """A node's statistics after a back-up: absolute, not increments."""

    search_id: str
    path: str
    visits: int
    value_sum: float


class ModelVersion(msgspec.Struct, frozen=True):
    """A model trained from `parent_id`. `path` is its folder, relative to that of the
    run, or "" without weights; `reason` says why it is not in use.

    Only published versions are used. A refused one failed its checks or was measured and found
    worse; a withdrawn one was rolled back; the weights of a pruned one were deleted.
    """

    id: str
    run_id: str
    kind: ModelKind
    round: int
    parent_id: str | None
    path: str
    status: ModelStatus
    reason: str = ""
    manifest: Settings = {}
    metrics: Settings = {}
    created_at: float = _now()


class ModelStanding(msgspec.Struct, frozen=True):
    """A new status of a model version, and the reason."""

    model_id: str
    status: ModelStatus
    reason: str = ""


class Pair(msgspec.Struct, frozen=True):
    """A preference that the PPM of this round was trained (or tested: `heldout`) on."""

    run_id: str
    round: int
    search_id: str
    chosen_path: str
    rejected_path: str
    kind: PairKind
    weight: float = 1.0
    split: Split = "train"


class Evaluation(msgspec.Struct, frozen=True):
    """One row of a results table; `low` and `high` bound `pass_at_1`."""

    id: str
    run_id: str
    round: int
    method: str
    benchmark: str
    policy_id: str
    ppm_id: str | None
    problems: int
    samples: int
    correct: int
    pass_at_1: float
    low: float
    high: float
    new_tokens: int = 0
    seconds: float = 0.0
    settings: Settings = {}
    created_at: float = _now()


class EvaluationAnswer(msgspec.Struct, frozen=True):
    """One sampled answer behind an `Evaluation`; `search_id` is the tree it came from, if any."""

    evaluation_id: str
    problem_id: str
    sample: int
    answer: str
    correct: bool | None
    text: str = ""
    new_tokens: int = 0
    seconds: float = 0.0
    search_id: str | None = None


Record: TypeAlias = (
    Run
    | Problem
    | Round
    | RoundProgress
    | Search
    | SearchProgress
    | Expansion
    | Node
    | NodeStatistics
    | ModelVersion
    | ModelStanding
    | Pair
    | Evaluation
    | EvaluationAnswer
)
