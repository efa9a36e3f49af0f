"""One row of figures for each round of a run, counted from rows of the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from storage import queries
from storage.database import Database
from storage.records import Evaluation, ModelVersion, Round


class Labels(msgspec.Struct, frozen=True):
    """How much of a round is right where the truth about steps is known, as that of generated
    problems is; counts, 0 for what was not judged.

    Of `judged` preferences that the PPM learnt from: the chosen side right and the rejected wrong
    (`right`), the other way round, both right, both wrong. Of `solutions` with a right answer, all
    steps are right in `right_processes`.
    """

    judged: int
    right: int
    inverted: int
    both_right: int
    both_wrong: int
    solutions: int
    right_processes: int


class RoundRow(msgspec.Struct, frozen=True):
    """One round. Figures that do not exist, such as searches of the bootstrap, are None.

    `tokens` were sampled in training searches; `cached_share` is the part of the reachable prompt
    tokens that the prefix cache served; `code_runs` counts executed steps by outcome, of which
    `shared_runs` took the result of an equivalent program; `rows` is how many solutions the policy
    was trained on. `…_measured` says on how many of how many held-out problems pass@1 was measured;
    figures of older versions do not tell.
    """

    number: int
    problems: int | None
    failed_searches: int | None
    solved: int | None
    nodes: int | None
    tokens: int | None
    cached_share: float | None
    code_runs: dict[str, int] | None
    shared_runs: int | None
    pairs: int | None
    rows: int | None
    pair_accuracy: float | None
    policy_pass_at_1: float | None
    policy_interval: tuple[float, float] | None
    policy_measured: tuple[int, int] | None
    majority: float | None
    majority_interval: tuple[float, float] | None
    majority_measured: tuple[int, int] | None
    search_pass_at_1: float | None
    search_interval: tuple[float, float] | None
    search_measured: tuple[int, int] | None
    policy_id: str | None
    ppm_id: str | None
    seconds: float | None
    labels: Labels | None = None


class RunReport(msgspec.Struct, frozen=True):
    """What `--json` writes."""

    run: str
    database: str
    seconds: float
    rounds: list[RoundRow]


def report_of(database: Database, run_id: str, location: str) -> RunReport:
    """The report of a run, finished or not."""
    rounds = database.read(queries.rounds_of, run_id)
    versions = database.read(queries.model_versions_of, run_id)
    evaluations = database.read(queries.evaluations_of, run_id)
    rows = [_row(database, round_, versions, evaluations) for round_ in rounds]
    seconds = sum(round_.seconds or 0.0 for round_ in rounds)
    return RunReport(run_id, location, seconds, rows)


def _row(
    database: Database,
    round_: Round,
    versions: Sequence[ModelVersion],
    evaluations: Sequence[Evaluation],
) -> RoundRow:
    policy = _evaluation(evaluations, round_.number, "policy")
    majority = _evaluation(evaluations, round_.number, "majority")
    search = _evaluation(evaluations, round_.number, "search")
    ppm = _version(versions, round_.number, "ppm")
    trained_policy = _version(versions, round_.number, "policy")
    return RoundRow(
        number=round_.number,
        **_searched(database, round_),
        rows=_count_of(trained_policy, "rows"),
        pair_accuracy=_metric(ppm, "pair_accuracy"),
        policy_pass_at_1=policy.pass_at_1 if policy else None,
        policy_interval=(policy.low, policy.high) if policy else None,
        policy_measured=measured(policy),
        majority=majority.pass_at_1 if majority else None,
        majority_interval=(majority.low, majority.high) if majority else None,
        majority_measured=measured(majority),
        search_pass_at_1=search.pass_at_1 if search else None,
        search_interval=(search.low, search.high) if search else None,
        search_measured=measured(search),
        policy_id=trained_policy.id if trained_policy else None,
        ppm_id=ppm.id if ppm else None,
        seconds=round_.seconds if round_.status == "closed" else None,
        labels=labels_of([v.metrics for v in versions if v.round == round_.number]),
    )


def labels_of(metrics: Iterable[Mapping[str, Any]]) -> Labels | None:
    """From the metrics of all models of a round, refused ones too; None if nothing was judged."""
    found = {name: value for one in metrics for name, value in one.items()}
    if "labels_judged" not in found and "solutions_judged" not in found:
        return None
    return Labels(
        judged=found.get("labels_judged", 0),
        right=found.get("labels_right", 0),
        inverted=found.get("labels_inverted", 0),
        both_right=found.get("labels_both_right", 0),
        both_wrong=found.get("labels_both_wrong", 0),
        solutions=found.get("solutions_judged", 0),
        right_processes=found.get("solutions_right_process", 0),
    )


_SEARCH_FIGURES = (
    "problems", "failed_searches", "solved", "nodes", "tokens", "cached_share", "code_runs",
    "shared_runs", "pairs",
)  # fmt: skip


def _searched(database: Database, round_: Round) -> dict[str, Any]:
    """Figures of the round's training searches; the bootstrap has none."""
    if round_.number == 0:
        return dict.fromkeys(_SEARCH_FIGURES)
    found = database.read(queries.round_report, round_.run_id, round_.number)
    return {
        "problems": found.problems,
        "failed_searches": database.read(queries.progress, round_.run_id, round_.number).failed,
        "solved": found.solved,
        "nodes": found.nodes,
        "tokens": found.new_tokens,
        "cached_share": found.cached_share,
        "code_runs": found.outcomes,
        "shared_runs": found.shared_runs,
        "pairs": sum(found.pairs.values()),
    }


def measured(evaluation: Evaluation | None) -> tuple[int, int] | None:
    """How many problems the figure is over, of how many; None if that is not known."""
    if evaluation is None or "measured" not in evaluation.settings:
        return None
    return int(evaluation.settings["measured"]), evaluation.problems


def _evaluation(evaluations: Sequence[Evaluation], number: int, method: str) -> Evaluation | None:
    return next((e for e in evaluations if (e.round, e.method) == (number, method)), None)


def _version(versions: Sequence[ModelVersion], number: int, kind: str) -> ModelVersion | None:
    """The newest published version of a round."""
    of_round = [v for v in versions if (v.round, v.kind, v.status) == (number, kind, "published")]
    return of_round[-1] if of_round else None


def _metric(version: ModelVersion | None, name: str) -> float | None:
    value = version.metrics.get(name) if version else None
    return None if value is None else float(value)


def _count_of(version: ModelVersion | None, name: str) -> int | None:
    value = _metric(version, name)
    return None if value is None else int(value)
