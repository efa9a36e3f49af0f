"""The recipe: one typed tree of settings, read from TOML, overridden by `--dotted.key value`.

Each section explains its defaults. Unknown keys, wrong types and numbers out of bounds are refused
by name.
"""

from rstar_async.config.base import Dtype, Section
from rstar_async.config.processes import (
    ObserveConfig,
    OpenAIConfig,
    SGLangConfig,
    Waiver,
    WorkersConfig,
)
from rstar_async.config.recipe import Preset, Recipe
from rstar_async.config.searching import (
    AnswerRule,
    BoundsConfig,
    EvaluationConfig,
    ExecutionConfig,
    Guidance,
    PathRule,
    RoundConfig,
    SearchConfig,
)
from rstar_async.config.slurm import SlurmConfig
from rstar_async.config.tasks import (
    AnswersConfig,
    BootstrapConfig,
    ModelConfig,
    ProblemsConfig,
    PromptSource,
)
from rstar_async.config.training import (
    FiltersConfig,
    GateConfig,
    History,
    LoRAConfig,
    Objective,
    PairLoss,
    PolicyConfig,
    PPMConfig,
    Schedule,
    ScoreAt,
    TrainingConfig,
)

__all__ = [
    "AnswerRule",
    "AnswersConfig",
    "BootstrapConfig",
    "BoundsConfig",
    "Dtype",
    "EvaluationConfig",
    "ExecutionConfig",
    "FiltersConfig",
    "GateConfig",
    "Guidance",
    "History",
    "LoRAConfig",
    "ModelConfig",
    "Objective",
    "ObserveConfig",
    "OpenAIConfig",
    "PPMConfig",
    "PairLoss",
    "PathRule",
    "PolicyConfig",
    "Preset",
    "ProblemsConfig",
    "PromptSource",
    "Recipe",
    "RoundConfig",
    "SGLangConfig",
    "Schedule",
    "ScoreAt",
    "SearchConfig",
    "Section",
    "SlurmConfig",
    "TrainingConfig",
    "Waiver",
    "WorkersConfig",
]
