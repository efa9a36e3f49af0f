"""Round 0: the base model becomes the first version, and perhaps learns the format.

- `few_shot`: the base itself, or a stronger model, searches in round 1, prompted with two solved
  examples; the base is what all policies are trained from;
- `checkpoint`: the base knows the format already;
- `demonstrations`: it is trained on generated, solved problems.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rstar_async.config import BootstrapConfig, PolicyConfig
from rstar_async.text.encoding import PromptStyle
from rstar_async.trainer import distributed
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.context import Training, TrainingContext
from rstar_async.trainer.dataset import SFTRow, within
from rstar_async.trainer.policy import train_policy
from rstar_async.trainer.progress import TrainingProgress
from storage.records import ModelVersion

BOOTSTRAP = 0


def bootstrap(shop: TrainingContext) -> None:
    """Publish the base and, from demonstrations, the first policy."""
    settings = shop.recipe.bootstrap
    style: PromptStyle = "few_shot" if settings.kind == "few_shot" else "tagged"
    base = shop.base() or _publish(shop, shop.recipe.model.base, style, parent=None)
    # The base's row first: its folder would else be cleared away if we are killed before the end.
    shop.commit(base)
    if settings.kind == "demonstrations":
        shop.finish(BOOTSTRAP, _train_on_demonstrations(shop, base))
    elif settings.model:
        shop.finish(BOOTSTRAP, _publish(shop, settings.model, style, parent=base))
    else:
        shop.finish(BOOTSTRAP, base)


def is_bootstrap_policy(shop: TrainingContext, model: ModelVersion) -> bool:
    """The stronger model of round 1: its tokenizer is its own, and nothing is trained from it."""
    return bool(shop.recipe.bootstrap.model) and model.round == BOOTSTRAP


def _publish(
    shop: TrainingContext, source: str, style: PromptStyle, parent: ModelVersion | None
) -> ModelVersion:
    def prepare(folder: Path, _: TrainingProgress) -> dict[str, Any]:
        distributed.on_rank0(lambda: prepare_base(source, folder))
        return {}

    return shop.make(
        "policy",
        BOOTSTRAP,
        parent=parent,
        training=prepare,
        phase="base",
        facts={**shop.facts(style), "base": source},
        counts={},
    )


def _train_on_demonstrations(shop: TrainingContext, base: ModelVersion) -> ModelVersion:
    settings = shop.recipe.bootstrap
    encoder = shop.encoder(base)
    rows = shop.demonstrations(settings.demonstrations, encoder)
    training = as_policy_training(settings)
    fitting = within(rows, shop.max_length(training.max_length, base))
    return shop.make(
        "policy",
        BOOTSTRAP,
        parent=base,
        training=policy_training(shop, BOOTSTRAP, base, fitting, training),
        phase="bootstrap",
        facts=shop.facts("tagged", settings),
        counts={"too_long": len(rows) - len(fitting)},
    )


def policy_training(
    shop: TrainingContext,
    number: int,
    start: ModelVersion,
    rows: Sequence[SFTRow],
    settings: PolicyConfig,
) -> Training:
    """SFT of `start` on `rows`, ready to be run."""
    return lambda folder, watch: train_policy(
        shop.folder(start),
        rows,
        settings,
        shop.recipe.training,
        seed=shop.seed(number),
        into=folder,
        watch=watch,
    )


def as_policy_training(settings: BootstrapConfig) -> PolicyConfig:
    """The bootstrap's few settings as a policy training; the rest are its defaults."""
    return PolicyConfig(
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
