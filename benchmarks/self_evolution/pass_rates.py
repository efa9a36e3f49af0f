"""How often the policies of a run were right, question by question, read from its store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.ppm_guides.draws import draws_of
from benchmarks.recipe_runs import rstar
from rstar_async.evaluation.sampling import Sampling
from storage import queries
from storage.database import open_database

PassRates: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """On held-out problems before the first round and after the last one; after it also on the
    problems of each other benchmark."""

    before: PassRates
    after: PassRates
    elsewhere: Mapping[Path, PassRates]


def measured(
    run: Mapping[str, Any], home: Path, benchmarks: Sequence[Path], columns: Sequence[str]
) -> Measured:
    """What the store of a finished run tells; what is missing of `benchmarks`, whose `columns` hold
    questions and answers, is measured now."""
    last = run["rounds"][-1]["number"]
    elsewhere = {file: _on(file, home, columns) for file in benchmarks}
    return Measured(_heldout(run, 0), _heldout(run, last), elsewhere)


def _heldout(run: Mapping[str, Any], number: int) -> PassRates:
    name: str = run["run"]
    with open_database(run["database"], must_exist=True) as database:
        evaluations = database.read(queries.evaluations_of, name)
        chosen = next(e for e in evaluations if (e.round, e.method) == (number, "policy"))
        answers = database.read(queries.answers_of, chosen.id)
        questions = {p.id: p.question for p in database.read(queries.problems_of, name, "heldout")}
    attempts: dict[str, list[bool]] = {}
    for answer in answers:
        attempts.setdefault(questions[answer.problem_id], []).append(answer.correct is True)
    return {question: sum(right) / len(right) for question, right in attempts.items()}


def _on(benchmark: Path, home: Path, columns: Sequence[str]) -> PassRates:
    """By the samples for the tokens of one tree."""
    question, answer = columns
    named = ("--problems.question", question, "--problems.answer", answer)
    asked = ("--benchmark", str(benchmark), *named, "--trajectories", "1", "--against", "sample")
    result = home.parent / f"{home.name}-{benchmark.stem}.json"
    rstar("evaluate", str(home), *asked, "--json", str(result), result=result)
    draws = draws_of(home, [Sampling()]).answers["sample"]
    return {
        question: sum(one is not None and one.is_correct is True for one in answers) / len(answers)
        for question, answers in draws.items()
    }
