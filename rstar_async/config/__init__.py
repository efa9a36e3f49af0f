"""The recipe: one typed tree of settings, read from TOML, overridden by `--dotted.key value`.

Every default is explained where it stands. Unknown keys and wrong types are refused by name.
"""

from rstar_async.config.base import Dtype, Settings
from rstar_async.config.processes import Observe, SGLang, Weakness, Workers
from rstar_async.config.recipe import Preset, Recipe
from rstar_async.config.searching import (
    AnswerRule,
    Bounds,
    Evaluation,
    Execution,
    Guidance,
    Round,
    Search,
)
from rstar_async.config.tasks import Answers, Bootstrap, Model, Problems, PromptSource
from rstar_async.config.training import (
    Filters,
    Gate,
    History,
    LoRA,
    Objective,
    PolicyTraining,
    PPMTraining,
    Schedule,
    Training,
)

__all__ = [
    "AnswerRule",
    "Answers",
    "Bootstrap",
    "Bounds",
    "Dtype",
    "Evaluation",
    "Execution",
    "Filters",
    "Gate",
    "Guidance",
    "History",
    "LoRA",
    "Model",
    "Objective",
    "Observe",
    "PPMTraining",
    "PolicyTraining",
    "Preset",
    "Problems",
    "PromptSource",
    "Recipe",
    "Round",
    "SGLang",
    "Schedule",
    "Search",
    "Settings",
    "Training",
    "Weakness",
    "Workers",
]
