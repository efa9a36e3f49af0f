"""One run: all sections together."""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from rstar_async.config.base import Settings
from rstar_async.config.processes import Observe, SGLang, Workers
from rstar_async.config.searching import Bounds, Evaluation, Execution, Round, Search
from rstar_async.config.tasks import Answers, Bootstrap, Model, Problems
from rstar_async.config.training import Filters, Gate, PolicyTraining, PPMTraining, Training

T = TypeVar("T")
Preset = Literal["", "paper", "reference"]


class Recipe(Settings):
    """Everything one run needs to know."""

    name: str = "run"
    # Start from the settings of the "paper" or of the "reference" code; `rstar presets` compares.
    preset: Preset = ""
    seed: int = 1
    # Models, sockets' names and, unless `database` says otherwise, the SQLite file live here.
    home: str = "runs/{name}"
    database: str = ""
    model: Model = Model()
    bootstrap: Bootstrap = Bootstrap()
    problems: Problems = Problems()
    search: Search = Search()
    bounds: Bounds = Bounds()
    execution: Execution = Execution()
    answers: Answers = Answers()
    rounds: tuple[Round, ...] = (Round(),)
    filters: Filters = Filters()
    training: Training = Training()
    policy: PolicyTraining = PolicyTraining()
    ppm: PPMTraining = PPMTraining()
    gate: Gate = Gate()
    evaluation: Evaluation = Evaluation()
    workers: Workers = Workers()
    observe: Observe = Observe()
    sglang: SGLang = SGLang()

    @property
    def home_folder(self) -> Path:
        return Path(self.home.format(name=self.name)).absolute()

    @property
    def models_folder(self) -> Path:
        return self.home_folder / "models"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home_folder / 'rstar.db'}"

    @property
    def search_of_evaluation(self) -> Search:
        """The search settings at test time."""
        return msgspec.structs.replace(
            self.search,
            temperature=self.evaluation.temperature,
            rollouts=self.evaluation.rollouts,
            candidates=self.evaluation.candidates,
        )

    def search_of_round(self, number: int) -> Search:
        """The search settings of round `number` (1 is the first), overrides applied."""
        overrides = self.rounds[number - 1]
        return msgspec.structs.replace(
            self.search,
            rollouts=_given(overrides.rollouts, self.search.rollouts),
            candidates=_given(overrides.candidates, self.search.candidates),
            temperature=_given(overrides.temperature, self.search.temperature),
        )


def _given(value: T | None, default: T) -> T:
    return default if value is None else value
