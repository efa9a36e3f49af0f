"""Runs side by side: their accuracy by round, and paired differences on the problems they share.

Problems are matched by their questions, because ids depend on the run. Differences are those to the
first run, problem by problem, with 95 % intervals over problems.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rstar_async.config.layers import flattened
from rstar_async.errors import BadInput
from rstar_async.evaluation.intervals import mean_difference
from storage import queries
from storage.database import Database
from storage.records import EvaluationAnswer, Run

# What runs measure themselves after each round.
METHODS = ("policy", "search", "majority")
# Settings that say where and how fast a run went, not what it did.
UNCOMPARED = ("name", "home", "database", "workers", "observe", "sglang", "openai")


class Measured(msgspec.Struct, frozen=True):
    """One accuracy with its interval, and the share of right attempts by question."""

    round: int
    method: str
    accuracy: float
    low: float
    high: float
    rates: dict[str, float]


class ComparedRun(msgspec.Struct, frozen=True):
    """A run by the name it is compared under."""

    name: str
    measured: list[Measured]
    settings: dict[str, str]


class Difference(msgspec.Struct, frozen=True):
    """Of one run to the first, on `problems` that both measured; accuracies are those on them."""

    name: str
    method: str
    round: int
    problems: int
    accuracy: float
    first: float
    difference: float
    low: float
    high: float


class Comparison(msgspec.Struct, frozen=True):
    """`settings` are those that differ: by dotted name, the value of each run in order."""

    runs: list[ComparedRun]
    differences: list[Difference]
    settings: dict[str, list[str]]


def runs_in(database: Database, place: str) -> list[ComparedRun]:
    """All runs of a database; the only one is named after its place."""
    found = database.read(queries.runs)
    return [_run(database, run, place if len(found) == 1 else run.id) for run in found]


def compare(runs: Sequence[ComparedRun], number: int | None = None) -> Comparison:
    """Compare the last measurements, or those of round `number`. Pure; `BadInput` without two
    runs."""
    if len(runs) < 2:
        raise BadInput("compare needs two runs or more: rstar compare runs/a runs/b")
    first, *others = named_apart(runs)
    differences = [
        found
        for method in METHODS
        for other in others
        if (found := _difference(first, other, method, number)) is not None
    ]
    return Comparison([first, *others], differences, differing_settings([first, *others]))


def named_apart(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """The runs with different names: what occurs twice gets a number. Pure."""
    seen: dict[str, int] = {}
    named = []
    for run in runs:
        seen[run.name] = seen.get(run.name, 0) + 1
        suffix = f" ({seen[run.name]})" if seen[run.name] > 1 else ""
        named.append(msgspec.structs.replace(run, name=run.name + suffix))
    return named


def differing_settings(runs: Sequence[ComparedRun]) -> dict[str, list[str]]:
    """Of all runs, what is not the same everywhere; "-" where a run has no such setting. Pure."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    values = {key: [run.settings.get(key, "-") for run in runs] for key in keys}
    return {key: found for key, found in values.items() if len(set(found)) > 1}


def _difference(
    first: ComparedRun, other: ComparedRun, method: str, number: int | None
) -> Difference | None:
    """None if either did not measure this, or if they share no problem."""
    before, after = _last(first, method, number), _last(other, method, number)
    if before is None or after is None:
        return None
    shared = sorted(before.rates.keys() & after.rates.keys())
    if not shared:
        return None
    ones, others = ([one.rates[q] for q in shared] for one in (after, before))
    share = mean_difference(ones, others)
    return Difference(
        other.name,
        method,
        after.round,
        len(shared),
        sum(ones) / len(ones),
        sum(others) / len(others),
        share.mean,
        share.low,
        share.high,
    )


def _last(run: ComparedRun, method: str, number: int | None) -> Measured | None:
    found = [one for one in run.measured if one.method == method and number in (None, one.round)]
    return max(found, key=lambda one: one.round, default=None)


def _run(database: Database, run: Run, name: str) -> ComparedRun:
    questions = {p.id: p.question for p in database.read(queries.problems_of, run.id, "heldout")}
    measured = [
        Measured(
            one.round,
            one.method,
            one.pass_at_1,
            one.low,
            one.high,
            _by_question(database.read(queries.answers_of, one.id), questions),
        )
        for one in database.read(queries.evaluations_of, run.id)
        if one.method in METHODS
    ]
    return ComparedRun(name, measured, _settings(run.recipe))


def _settings(recipe: Mapping[str, Any]) -> dict[str, str]:
    """By dotted name, those of each round by its number; "-" for what is empty."""
    by_round = {
        f"rounds[{number}]": round_ for number, round_ in enumerate(recipe.get("rounds", ()), 1)
    }
    flat = flattened({key: value for key, value in recipe.items() if key != "rounds"} | by_round)
    return {
        key: "-" if value in ("", None, []) else str(value)
        for key, value in flat.items()
        if key.split(".")[0] not in UNCOMPARED
    }


def _by_question(
    answers: Sequence[EvaluationAnswer], questions: Mapping[str, str]
) -> dict[str, float]:
    rates = queries.success_rates(answers)
    return {questions[id_]: rate for id_, rate in rates.items() if id_ in questions}
