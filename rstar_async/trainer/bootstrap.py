"""Round 0: the base model becomes the first version and, if configured, learns the format.

- `few_shot`: the base itself, or a stronger model, searches in round 1, prompted with two solved
  examples; the base is what all policies are trained from;
- `checkpoint`: the base knows the format already;
- `demonstrations`: it is trained on generated, solved problems.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from rstar_async.config import BootstrapConfig, PolicyConfig
from rstar_async.errors import BadInput
from rstar_async.text.encoding import PromptStyle
from rstar_async.trainer import distributed
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.context import Training, TrainingContext
from rstar_async.trainer.dataset import SFTRow, within
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import scorer_class
from storage.records import ModelVersion

BOOTSTRAP = 0


def bootstrap(context: TrainingContext) -> None:
    """Publish the base and, from demonstrations, the first policy."""
    settings = context.recipe.bootstrap
    style: PromptStyle = "few_shot" if settings.kind == "few_shot" else "tagged"
    base = context.base() or _publish(context, context.recipe.model.base, style, parent=None)
    # The base's row first, so that a restart after a kill finds it instead of preparing it again.
    context.commit(base)
    if settings.kind == "demonstrations":
        context.finish(BOOTSTRAP, _train_on_demonstrations(context, base))
    elif settings.model:
        context.finish(BOOTSTRAP, _publish(context, settings.model, style, parent=base))
    else:
        context.finish(BOOTSTRAP, base)


def is_bootstrap_policy(context: TrainingContext, model: ModelVersion) -> bool:
    """Whether it is the stronger model of `bootstrap.model`, which searches round 1: it has its own
    tokenizer, and no model is trained from it."""
    return bool(context.recipe.bootstrap.model) and model.round == BOOTSTRAP


def _publish(
    context: TrainingContext, source: str, style: PromptStyle, parent: ModelVersion | None
) -> ModelVersion:
    def prepare(folder: Path, _: TrainingProgress) -> dict[str, Any]:
        distributed.on_rank0(lambda: prepare_base(source, folder))
        if parent is None and context.recipe.ppm.train:
            scorer_class(AutoConfig.from_pretrained(folder))
        return {}

    try:
        return context.make(
            "policy",
            BOOTSTRAP,
            parent=parent,
            training=prepare,
            phase="base",
            manifest_fields={**context.manifest_fields(style), "base": source},
            counts={},
        )
    except Refused as refused:  # no other start of the trainer could publish it
        raise BadInput(f"model.base: {source} cannot be used: {refused}") from refused


def _train_on_demonstrations(context: TrainingContext, base: ModelVersion) -> ModelVersion:
    settings = context.recipe.bootstrap
    encoder = context.encoder(base)
    rows = context.demonstrations(settings.demonstrations, encoder)
    training = as_policy_training(settings)
    fitting = within(rows, context.max_length(training.max_length, base))
    return context.make(
        "policy",
        BOOTSTRAP,
        parent=base,
        training=policy_training(context, BOOTSTRAP, base, fitting, training),
        phase="bootstrap",
        manifest_fields=context.trained_fields(base, settings),
        counts={"too_long": len(rows) - len(fitting)},
    )


def policy_training(
    context: TrainingContext,
    number: int,
    start: ModelVersion,
    rows: Sequence[SFTRow],
    settings: PolicyConfig,
) -> Training:
    """SFT of `start` on `rows`, to be passed to `TrainingContext.make`."""
    training, seed = context.recipe.training, context.seed(number)
    job = PolicyJob(context.folder(start), rows, settings, training, seed)
    return lambda folder, progress: train_policy(job, into=folder, progress=progress)


def as_policy_training(settings: BootstrapConfig) -> PolicyConfig:
    """The bootstrap's settings as those of a policy training; the others have their defaults."""
    return PolicyConfig(
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
