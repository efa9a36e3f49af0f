"""The problems to measure on: the held-out ones of a run, or those of a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.data.files import HUB
from rstar_async.data.problems import heldout_problems, problems_in
from rstar_async.errors import BadInput
from storage import queries
from storage.database import open_database
from storage.records import Problem

HELDOUT = "heldout"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Its name, and the ids of its stored problems in order."""

    name: str
    problems: list[str]


def stored_problems(recipe: Recipe, run_id: str, name: str, limit: int | None) -> Benchmark:
    """Put the first `limit` problems of the benchmark into the run's store, if they are not there.

    Problems that the run was trained on are refused: the figure would mean nothing.
    """
    if limit is not None and limit <= 0:
        raise BadInput(f"--problems is {limit}, but must be above 0")
    problems = _read(recipe, run_id, name)[:limit]
    if not problems:
        raise BadInput(f"benchmark {name}: there are no problems in it")
    with open_database(recipe.database_url, must_exist=True) as database:
        known = {p.id for p in database.read(queries.problems_of, run_id, "train")}
        _refuse_trained(name, [p for p in problems if p.id in known])
        database.commit(*problems)
    return Benchmark(Path(name).stem, [problem.id for problem in problems])


def _read(recipe: Recipe, run_id: str, name: str) -> list[Problem]:
    if name == HELDOUT:
        return heldout_problems(recipe)
    if not name.startswith(HUB) and not Path(name).exists():
        raise BadInput(
            f"benchmark {name}: there is no such file; give `{HELDOUT}` or a file of problems "
            "with questions and answers, or hf:DATASET@SPLIT"
        )
    return problems_in(run_id, name, recipe.problems, "heldout")


def _refuse_trained(name: str, trained: Sequence[Problem]) -> None:
    if trained:
        raise BadInput(
            f"benchmark {name}: the run was trained on {len(trained)} of its problems, for "
            f"example {trained[0].question[:80]!r}"
        )
