"""One run: all sections together."""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from rstar_async.config.base import Section, Seed
from rstar_async.config.processes import (
    ObserveConfig,
    OpenAIConfig,
    SGLangConfig,
    WorkersConfig,
)
from rstar_async.config.searching import (
    BoundsConfig,
    EvaluationConfig,
    ExecutionConfig,
    RoundConfig,
    SearchConfig,
)
from rstar_async.config.slurm import SlurmConfig
from rstar_async.config.tasks import AnswersConfig, BootstrapConfig, ModelConfig, ProblemsConfig
from rstar_async.config.training import (
    FiltersConfig,
    GateConfig,
    PolicyConfig,
    PPMConfig,
    TrainingConfig,
)

T = TypeVar("T")
Preset = Literal["", "paper", "reference"]


class Recipe(Section):
    """All settings of one run."""

    # By this name a run is found and continued.
    name: str = "run"
    # Start from the settings of the "paper" or of the "reference" code; `rstar presets` compares.
    preset: Preset = ""
    # All other seeds derive from it.
    seed: Seed = 1
    # The run's folder: models, logs and, unless `database` is set, the SQLite file.
    home: str = "runs/{name}"
    # URL of a PostgreSQL or SQLite database; empty: `rstar.db` in the run's folder.
    database: str = ""
    model: ModelConfig = ModelConfig()
    bootstrap: BootstrapConfig = BootstrapConfig()
    problems: ProblemsConfig = ProblemsConfig()
    search: SearchConfig = SearchConfig()
    bounds: BoundsConfig = BoundsConfig()
    execution: ExecutionConfig = ExecutionConfig()
    answers: AnswersConfig = AnswersConfig()
    rounds: tuple[RoundConfig, ...] = (RoundConfig(),)
    filters: FiltersConfig = FiltersConfig()
    training: TrainingConfig = TrainingConfig()
    policy: PolicyConfig = PolicyConfig()
    ppm: PPMConfig = PPMConfig()
    gate: GateConfig = GateConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    workers: WorkersConfig = WorkersConfig()
    observe: ObserveConfig = ObserveConfig()
    sglang: SGLangConfig = SGLangConfig()
    openai: OpenAIConfig = OpenAIConfig()
    slurm: SlurmConfig = SlurmConfig()

    @property
    def home_folder(self) -> Path:
        return Path(self.home.replace("{name}", self.name)).absolute()

    @property
    def models_folder(self) -> Path:
        return self.home_folder / "models"

    @property
    def database_url(self) -> str:
        """A URL, or the path of a SQLite file, in which no character has another meaning."""
        return self.database or str(self.home_folder / "rstar.db")

    @property
    def search_of_evaluation(self) -> SearchConfig:
        """The search settings at test time."""
        return msgspec.structs.replace(
            self.search,
            temperature=self.evaluation.temperature,
            rollouts=self.evaluation.rollouts,
            candidates=self.evaluation.candidates,
        )

    @property
    def policy_skips_heldout(self) -> bool:
        """Whether the policy learns nothing from the problems that measure the PPM."""
        ppm, setting = self.ppm, self.policy.skip_heldout
        knows_them = ppm.train and ppm.start == "policy" and ppm.trust == "measured"
        return setting == "on" or (setting == "auto" and knows_them)

    def search_of_round(self, number: int) -> SearchConfig:
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
