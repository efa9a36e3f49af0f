"""From the store to the contents of a report."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rstar_async.config.layers import flattened
from rstar_async.reports.contents import (
    Cost,
    Coverage,
    Difficulty,
    Example,
    Heldout,
    Point,
    Report,
    Rollouts,
    RoundDetails,
    Scaling,
)
from rstar_async.reports.heldout_samples import heldout_by_round
from rstar_async.reports.round_rows import RoundRow, measured, report_of
from rstar_async.reports.solutions import solutions_of_round
from storage import queries
from storage.database import Database
from storage.queries import Histograms, ProblemOutcome
from storage.records import Evaluation, ModelVersion

EXAMPLES = 2
METRICS = ("rows", "steps", "loss_first", "loss_last", "train_seconds", "pair_accuracy")


def gather(database: Database, run_id: str, location: str, hourly_price: float | None) -> Report:
    """The report of a run, finished or not."""
    run = database.read(queries.run_by_id, run_id)
    assert run is not None
    closing = report_of(database, run_id, location)
    versions = database.read(queries.model_versions_of, run_id)
    evaluations = database.read(queries.evaluations_of, run_id)
    heldout = heldout_by_round(database, evaluations)
    rounds = [
        _round(database, run_id, row, closing.rounds, versions, run.recipe, heldout, hourly_price)
        for row in closing.rounds
    ]
    return Report(
        run=run_id,
        database=location,
        code_version=run.code_version,
        seed=run.seed,
        seconds=closing.seconds,
        settings=published_settings(run.recipe),
        rounds=rounds,
        test_time=scalings_of(evaluations),
        examples=_examples(database, run_id, closing.rounds),
    )


def _round(
    database: Database,
    run_id: str,
    row: RoundRow,
    rows: list[RoundRow],
    versions: list[ModelVersion],
    recipe: dict[str, Any],
    heldout: Mapping[int, Heldout],
    hourly_price: float | None,
) -> RoundDetails:
    outcomes = database.read(queries.problem_outcomes, run_id, row.number)
    spent = database.read(queries.costs, run_id, row.number)
    steps = database.read(queries.step_counts, run_id, row.number)
    return RoundDetails(
        row=row,
        coverage=coverage_of(outcomes),
        difficulty=difficulty_of(outcomes) if outcomes else None,
        heldout=heldout.get(row.number),
        q=_histogram(steps.q),
        ppm=_histogram(steps.prior),
        pairs=database.read(queries.pair_counts, run_id, row.number),
        errors=steps.errors,
        endings=steps.statuses,
        rollouts=_rollouts(database, run_id, row.number, recipe),
        generate_seconds=spent.generate_seconds,
        execute_seconds=spent.execute_seconds,
        score_seconds=spent.score_seconds,
        cost=_cost(database, run_id, row, rows, versions, recipe, hourly_price),
        training=_training(versions, row),
    )


def _rollouts(database: Database, run_id: str, number: int, recipe: dict[str, Any]) -> Rollouts:
    found = database.read(queries.search_endings, run_id, number)
    fixed = found.searches * max_rollouts(recipe, number)
    return Rollouts(found.searches, found.rollouts, fixed, found.ended)


def max_rollouts(recipe: dict[str, Any], number: int) -> int:
    """The most rollouts that a search of the round may get, by the stored recipe. Pure."""
    rounds = recipe.get("rounds") or []
    own = rounds[number - 1] if 0 < number <= len(rounds) else {}
    first = own.get("rollouts") or recipe.get("search", {}).get("rollouts", 0)
    return int(max(first, *own.get("unsolved_rollouts", ()), 0))


def coverage_of(outcomes: list[ProblemOutcome]) -> list[Coverage]:
    """By level, numbers in numeric order. Pure."""
    levels: dict[str, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        levels[outcome.level].append(outcome.solved)
    return [
        Coverage(level, len(solved), sum(solved))
        for level, solved in sorted(levels.items(), key=lambda item: _natural(item[0]))
    ]


def difficulty_of(outcomes: list[ProblemOutcome]) -> Difficulty:
    """A problem without a decided answer is hard. Pure."""
    easy = sum(o.right > 0 and not o.wrong for o in outcomes)
    medium = sum(o.right > 0 and o.wrong > 0 for o in outcomes)
    return Difficulty(easy, medium, len(outcomes) - easy - medium)


def scalings_of(evaluations: list[Evaluation]) -> list[Scaling]:
    """Evaluations over the number of trajectories, newest first. Pure."""
    groups: dict[tuple[Any, ...], list[Evaluation]] = defaultdict(list)
    for one in evaluations:
        if "trajectories" in one.settings:
            groups[_evaluation_key(one)].append(one)
    newest = sorted(groups.values(), key=lambda found: -found[-1].created_at)
    return [_scaling(found) for found in newest]


def _evaluation_key(one: Evaluation) -> tuple[Any, ...]:
    figures = ("measured", "trajectories", "drawn", "tokens_per_problem", "seconds_per_problem")
    settings = sorted((key, repr(v)) for key, v in one.settings.items() if key not in figures)
    return one.round, one.benchmark, one.policy_id, one.ppm_id, one.problems, *settings


def _scaling(found: list[Evaluation]) -> Scaling:
    curves: dict[str, list[Point]] = defaultdict(list)
    for one in sorted(found, key=lambda e: e.settings["trajectories"]):
        settings = one.settings
        tokens, seconds = settings["tokens_per_problem"], settings["seconds_per_problem"]
        point = Point(settings["trajectories"], one.pass_at_1, one.low, one.high, tokens, seconds)
        curves[one.method].append(point)
    first = found[0]
    names = ("rollouts", "candidates", "temperature", "beam_width", "beam_candidates", "seed")
    settings = {name: first.settings[name] for name in names if name in first.settings}
    return Scaling(
        first.round,
        first.benchmark,
        first.policy_id,
        first.ppm_id,
        first.problems,
        settings,
        dict(curves),
        measured_least(found),
        first.settings.get("ppm_note", ""),
    )


def measured_least(found: list[Evaluation]) -> int | None:
    """How many problems every figure is over; None if one does not tell. Pure."""
    counts = [measured(one) for one in found]
    known = [count[0] for count in counts if count is not None]
    return min(known) if len(known) == len(counts) else None


def _cost(
    database: Database,
    run_id: str,
    row: RoundRow,
    rows: list[RoundRow],
    versions: list[ModelVersion],
    recipe: dict[str, Any],
    hourly_price: float | None,
) -> Cost | None:
    """If the policy was trained on all rounds so far, their costs are added up."""
    policy = next((v for v in versions if v.id == row.policy_id), None)
    kept = policy.metrics.get("trajectories") if policy else None
    if kept is None or row.number == 0:
        return None
    whole = recipe.get("policy", {}).get("history") == "all"
    over = [r for r in rows if (1 if whole else row.number) <= r.number <= row.number]
    spent = [database.read(queries.costs, run_id, r.number) for r in over]
    wall = sum(r.seconds or 0.0 for r in over)

    def each(total: float) -> float | None:
        return total / kept if kept else None

    return Cost(
        kept=int(kept),
        over=[r.number for r in over],
        tokens=each(sum(s.new_tokens for s in spent)),
        cpu_seconds=each(sum(s.cpu_seconds for s in spent)),
        wall_seconds=each(wall),
        price=None if hourly_price is None else each(wall / 3600 * hourly_price),
    )


def _training(versions: list[ModelVersion], row: RoundRow) -> dict[str, dict[str, float]]:
    trained = [v for v in versions if v.id in (row.policy_id, row.ppm_id)]
    return {
        v.kind: {
            name: float(value)
            for name in METRICS
            if isinstance(value := v.metrics.get(name), int | float)
        }
        for v in trained
    }


def _histogram(found: Histograms) -> dict[str, list[int]] | None:
    groups = {"right": found.right, "wrong": found.wrong, "steps": found.steps}
    return groups if any(map(sum, groups.values())) else None


def _examples(database: Database, run_id: str, rows: list[RoundRow]) -> list[Example]:
    searched = [row.number for row in rows if row.problems]
    if not searched:
        return []
    return [
        Example(one.round, one.question, one.text, one.answer, correct, one.mean_q)
        for correct in (True, False)
        for one in solutions_of_round(
            database, run_id, searched[-1], correct=correct, limit=EXAMPLES
        )
    ]


def _natural(level: str) -> tuple[float, str]:
    try:
        return float(level), ""
    except ValueError:
        return float("inf"), level


def published_settings(recipe: dict[str, Any]) -> dict[str, str]:
    """All settings by dotted name, without the database's URL, which may hold a password."""
    return {key: str(value) for key, value in flattened(recipe).items() if key != "database"}
