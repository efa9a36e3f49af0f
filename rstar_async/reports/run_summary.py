"""How a run stands, in a line: its rounds, its state, its last accuracies."""

from collections.abc import Sequence

import msgspec

from rstar_async.config import Recipe
from storage import queries
from storage.database import Database
from storage.records import Evaluation, Round, Run


class Accuracy(msgspec.Struct, frozen=True):
    """pass@1 on held-out problems after a round, with its interval."""

    round: int
    value: float
    low: float
    high: float


class RunSummary(msgspec.Struct, frozen=True):
    """One line of a list. `name` is the folder's, `run` the run's; with a `problem` the rest is
    unknown."""

    name: str
    run: str = ""
    base: str = ""
    created_at: float | None = None
    rounds: int = 0
    planned: int = 0
    status: str = ""
    seconds: float = 0.0
    policy: Accuracy | None = None
    search: Accuracy | None = None
    problem: str = ""


def summary_of(name: str, database: Database, recipe: Recipe | None = None) -> RunSummary:
    """Of the run with this recipe in a store, by the rounds that it asks for now; without one, of
    the newest run, by those that it was started with."""
    runs = database.read_once(queries.runs)
    found = [run for run in runs if recipe is None or run.id == recipe.name]
    if not found:
        return RunSummary(name, problem="its store holds no run yet")
    rounds = database.read_once(queries.rounds_of, found[-1].id)
    evaluations = database.read_once(queries.evaluations_of, found[-1].id)
    planned = None if recipe is None else len(recipe.rounds)
    return summary(name, found[-1], rounds, evaluations, planned)


def summary(
    name: str,
    run: Run,
    rounds: Sequence[Round],
    evaluations: Sequence[Evaluation],
    planned: int | None = None,
) -> RunSummary:
    """Pure. `planned` rounds are those of the stored recipe if it is None."""
    model, stored = run.recipe.get("model"), run.recipe.get("rounds")
    if planned is None:
        planned = len(stored) if isinstance(stored, list) else 0
    return RunSummary(
        name,
        run.id,
        str(model.get("base", "")) if isinstance(model, dict) else "",
        run.created_at,
        sum(each.status == "closed" and each.number > 0 for each in rounds),
        planned,
        status_of(rounds, planned),
        sum(each.seconds or 0.0 for each in rounds),
        _last(evaluations, "policy"),
        _last(evaluations, "search"),
    )


def status_of(rounds: Sequence[Round], planned: int) -> str:
    """Where a run stands, in two or three words."""
    under_way = next((each for each in rounds if each.status != "closed"), None)
    if under_way is not None:
        place = f"round {under_way.number}" if under_way.number else "bootstrap"
        return f"{place}: {under_way.status}"
    return "complete" if rounds and rounds[-1].number >= planned else "between rounds"


def _last(evaluations: Sequence[Evaluation], method: str) -> Accuracy | None:
    found = [each for each in evaluations if each.method == method]
    if not found:
        return None
    last = found[-1]
    return Accuracy(last.round, last.pass_at_1, last.low, last.high)
