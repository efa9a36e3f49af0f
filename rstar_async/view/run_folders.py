"""The runs in a folder: which there are, how each stands, and their stores, opened when needed.

A run that cannot be read is listed with the reason, so that it hides no other.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import msgspec

from rstar_async.errors import BadInput, RstarError
from rstar_async.reports.comparison import ComparedRun, runs_in
from storage import queries
from storage.database import Database, open_database
from storage.records import Evaluation, Round, Run

RECIPE, STORE = "recipe.json", "rstar.db"
MAX_OPEN = 16
READERS = 4

# From the folder of a run to the location of its store.
Locate: TypeAlias = Callable[[str], str]


class Accuracy(msgspec.Struct, frozen=True):
    """pass@1 on held-out problems after a round, with its interval."""

    round: int
    value: float
    low: float
    high: float


class RunSummary(msgspec.Struct, frozen=True):
    """One line of the list. `name` is the folder's, `run` the run's; with a `problem` the rest is
    unknown."""

    name: str
    run: str = ""
    base: str = ""
    created_at: float | None = None
    rounds: int = 0
    status: str = ""
    seconds: float = 0.0
    policy: Accuracy | None = None
    search: Accuracy | None = None
    problem: str = ""


def is_run(folder: Path) -> bool:
    return (folder / RECIPE).is_file() or (folder / STORE).is_file()


class RunFolders:
    """The runs in the subfolders of `folder`. May be used by several threads."""

    def __init__(self, folder: Path, locate: Locate) -> None:
        self.folder = folder
        self._locate = locate
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[Database, ExitStack]] = OrderedDict()

    def names(self) -> list[str]:
        """As they are now, in the order of the alphabet."""
        return sorted(each.name for each in self.folder.iterdir() if is_run(each))

    def home(self, name: str) -> Path:
        """`BadInput` if the folder has no such run: a name never leads to another place."""
        if name not in self.names():
            raise BadInput(f"there is no run {name} in {self.folder}")
        return self.folder / name

    def store(self, name: str) -> Database:
        """The store of a run, upgraded to this version's tables if it is older."""
        home = self.home(name)
        with self._lock:
            if name not in self._open:
                stack = ExitStack()
                location = self._locate(str(home))
                opened = open_database(location, must_exist=True, readers=READERS)
                self._open[name] = stack.enter_context(opened), stack
            self._open.move_to_end(name)
            if len(self._open) > MAX_OPEN:
                _, (_, least_recent) = self._open.popitem(last=False)
                least_recent.close()
            return self._open[name][0]

    def summaries(self) -> list[RunSummary]:
        """Of all runs, the newest first."""
        found = [self._summary(name) for name in self.names()]
        return sorted(found, key=lambda each: each.created_at or 0.0, reverse=True)

    def compared(self, name: str) -> list[ComparedRun]:
        return runs_in(self.store(name), name)

    def close(self) -> None:
        with self._lock:
            for _, stack in self._open.values():
                stack.close()
            self._open.clear()

    def _summary(self, name: str) -> RunSummary:
        try:
            database = self.store(name)
            runs = database.read_once(queries.runs)
            if not runs:
                return RunSummary(name, problem="its store holds no run yet")
            newest = runs[-1]
            rounds = database.read_once(queries.rounds_of, newest.id)
            return summary(
                name, newest, rounds, database.read_once(queries.evaluations_of, newest.id)
            )
        except (RstarError, OSError) as error:
            return RunSummary(name, problem=str(error))


def summary(name: str, run: Run, rounds: list[Round], evaluations: list[Evaluation]) -> RunSummary:
    """Pure."""
    model = run.recipe.get("model")
    planned = run.recipe.get("rounds")
    return RunSummary(
        name,
        run.id,
        str(model.get("base", "")) if isinstance(model, dict) else "",
        run.created_at,
        sum(each.status == "closed" and each.number > 0 for each in rounds),
        status_of(rounds, len(planned) if isinstance(planned, list) else 0),
        sum(each.seconds or 0.0 for each in rounds),
        _last(evaluations, "policy"),
        _last(evaluations, "search"),
    )


def status_of(rounds: list[Round], planned: int) -> str:
    """Where a run stands, in two or three words."""
    under_way = next((each for each in rounds if each.status != "closed"), None)
    if under_way is not None:
        place = f"round {under_way.number}" if under_way.number else "bootstrap"
        return f"{place}: {under_way.status}"
    return "complete" if rounds and rounds[-1].number >= planned else "between rounds"


def _last(evaluations: list[Evaluation], method: str) -> Accuracy | None:
    found = [each for each in evaluations if each.method == method]
    if not found:
        return None
    last = found[-1]
    return Accuracy(last.round, last.pass_at_1, last.low, last.high)
