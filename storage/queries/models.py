"""Model versions, preference pairs and evaluations."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

import sqlalchemy as sa

from storage.queries.select import matches, select_all, select_one
from storage.records import Evaluation, EvaluationAnswer, ModelKind, ModelVersion, Pair, Split
from storage.tables import evaluation_answers, evaluations, model_versions, pairs


def model_version(connection: sa.Connection, model_id: str) -> ModelVersion | None:
    return select_one(connection, ModelVersion, model_versions.c.id == model_id)


def model_versions_of(connection: sa.Connection, run_id: str) -> list[ModelVersion]:
    """Oldest first."""
    order = [model_versions.c.round, model_versions.c.created_at, model_versions.c.id]
    return select_all(connection, ModelVersion, model_versions.c.run_id == run_id, order=order)


def latest_published(
    connection: sa.Connection, run_id: str, kind: ModelKind, up_to_round: int | None = None
) -> ModelVersion | None:
    """The newest usable model of a kind, of `up_to_round` at the latest."""
    table = model_versions.c
    return select_one(
        connection,
        ModelVersion,
        table.run_id == run_id,
        table.kind == kind,
        table.status == "published",
        sa.true() if up_to_round is None else table.round <= up_to_round,
        order=[table.round.desc(), table.created_at.desc(), table.id],
    )


def lineage(connection: sa.Connection, model_id: str) -> list[ModelVersion]:
    """The model, its parent, its parent's parent …, as far as they are stored versions."""
    found: list[ModelVersion] = []
    version = model_version(connection, model_id)
    while version and version not in found:
        found.append(version)
        version = model_version(connection, version.parent_id) if version.parent_id else None
    return found


def pairs_of(
    connection: sa.Connection, run_id: str, number: int, split: Split | None = None
) -> list[Pair]:
    """The pairs of a round, those of one tree together."""
    return select_all(
        connection,
        Pair,
        pairs.c.run_id == run_id,
        pairs.c.round == number,
        matches(pairs.c.split, split),
        order=[pairs.c.search_id, pairs.c.chosen_path, pairs.c.rejected_path, pairs.c.kind],
    )


def evaluations_of(connection: sa.Connection, run_id: str) -> list[Evaluation]:
    """By round, then in the order they were made."""
    order = [evaluations.c.round, evaluations.c.created_at, evaluations.c.id]
    return select_all(connection, Evaluation, evaluations.c.run_id == run_id, order=order)


def answers_of(connection: sa.Connection, evaluation_id: str) -> list[EvaluationAnswer]:
    """All sampled answers of an evaluation, by problem and sample."""
    table = evaluation_answers.c
    where = table.evaluation_id == evaluation_id
    return select_all(connection, EvaluationAnswer, where, order=[table.problem_id, table.sample])


def success_rates(answers: Iterable[EvaluationAnswer]) -> dict[str, float]:
    """The share of right samples of each problem; an undecided one counts as wrong. Pure."""
    by_problem: dict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        by_problem[answer.problem_id].append(answer.correct is True)
    return {problem: fmean(right) for problem, right in by_problem.items()}
