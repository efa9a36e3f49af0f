"""A searched round becomes a policy and a PPM, published together (paper section 3.4)."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rstar_async.models.gate import compare
from rstar_async.text.encoding import Encoder
from rstar_async.trainer import distributed
from rstar_async.trainer.bootstrap import BOOTSTRAP, is_bootstrap_policy, policy_training
from rstar_async.trainer.build_dataset import RoundDataset, build_dataset
from rstar_async.trainer.context import Training, TrainingContext
from rstar_async.trainer.dataset import within
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import points_by_problem
from rstar_async.trainer.ppm import train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm
from storage import queries
from storage.records import ModelKind, ModelVersion

log = logging.getLogger(__name__)


def train_round(context: TrainingContext, number: int) -> None:
    """Train on round `number` and publish. Without anything to learn from, the models before stay
    in use, and a refused version says so."""
    before = context.newest_policy(number - 1)
    if is_bootstrap_policy(context, before):
        before = _start(context)
    encoder = context.encoder(before)
    found = build_dataset(
        context, number, encoder, context.max_length(context.recipe.ppm.max_length, before)
    )
    policy = _policy(context, number, found, before, encoder)
    current = policy if policy.status == "published" else before
    ppm = _ppm(context, number, found, current)
    for model in (policy, ppm):
        facts = {"model": model.id, "status": model.status, "reason": model.reason}
        log.info("model trained", extra={**facts, "round": number})
    context.finish(number, policy, ppm, *found.pairs)


def _policy(
    context: TrainingContext,
    number: int,
    found: RoundDataset,
    before: ModelVersion,
    encoder: Encoder,
) -> ModelVersion:
    settings, start = context.recipe.policy, _start(context)
    fitting = within(found.rows, context.max_length(settings.max_length, start))
    replayed = context.demonstrations(settings.replay, encoder)
    counts = {
        "problems": found.problems,
        "problems_solved": found.solved,
        "problems_doubtful": found.doubtful,
        "trajectories": len(found.rows),
        "too_long": len(found.rows) - len(fitting),
        "replayed": len(replayed),
    }
    if not settings.train:
        reason = "policy.train is off"
        return context.refuse("policy", number, parent=before, reason=reason, counts=counts)
    if settings.learn_from == "demonstrations":
        fitting = replayed
    elif fitting:
        fitting = [*fitting, *replayed]
    if not fitting:
        reason = f"{_nothing_to_learn(found)}; the old policy is carried on"
        return context.refuse("policy", number, parent=before, reason=reason, counts=counts)
    return _made_or_refused(
        context,
        "policy",
        number,
        (start, before),
        training=policy_training(context, number, start, fitting, settings),
        facts=context.facts("tagged", settings),
        counts=counts,
    )


def _made_or_refused(
    context: TrainingContext,
    kind: ModelKind,
    number: int,
    parents: tuple[ModelVersion, ModelVersion],
    *,
    training: Training,
    facts: Mapping[str, Any],
    counts: Mapping[str, Any],
) -> ModelVersion:
    """The version that `training` makes of the first of the parents; or the row that says why
    there is none, whose parent is the second, for that one stays in use."""
    start, before = parents
    try:
        return context.make(
            kind,
            number,
            parent=start,
            training=training,
            phase=kind,
            facts=facts,
            counts=counts,
        )
    except Refused as refused:
        counts = {**counts, **refused.metrics}
        return context.refuse(kind, number, parent=before, reason=str(refused), counts=counts)


def _start(context: TrainingContext) -> ModelVersion:
    """The base in every round (paper), so that errors do not pile up; or the bootstrap."""
    base, guest = context.base(), context.recipe.bootstrap.model
    if base is None or (context.recipe.policy.start == "bootstrap" and not guest):
        return context.newest_policy(BOOTSTRAP)
    return base


def _nothing_to_learn(found: RoundDataset) -> str:
    if found.rows:
        return f"all {len(found.rows)} trajectories are too long"
    return f"none of {found.problems} problems was solved"


def _ppm(
    context: TrainingContext, number: int, found: RoundDataset, policy: ModelVersion
) -> ModelVersion:
    settings = context.recipe.ppm
    counts = {
        "pairs_step": sum(pair.kind == "step" for pair in found.pairs),
        "pairs_trajectory": sum(pair.kind == "trajectory" for pair in found.pairs),
        "pairs_too_long": found.too_long_to_label,
    }
    if not found.trees["train"]:
        reason = _nothing_to_prefer(found) if settings.train else "ppm.train is off"
        return context.refuse("ppm", number, parent=policy, reason=reason, counts=counts)
    squash = {"squash": "tanh", "scale": context.recipe.search.ppm_scale}
    return _made_or_refused(
        context,
        "ppm",
        number,
        (policy, policy),
        training=_ppm_training(context, number, policy, found),
        facts={**context.facts("tagged", settings), **squash},
        counts=counts,
    )


def _nothing_to_prefer(found: RoundDataset) -> str:
    if found.pairs:
        return f"all {len(found.pairs)} preference pairs are of held-out problems"
    return f"no preference pairs in {found.problems} problems"


def _ppm_training(
    context: TrainingContext, number: int, policy: ModelVersion, found: RoundDataset
) -> Training:
    def training(folder: Path, progress: TrainingProgress) -> dict[str, Any]:
        metrics = train_ppm(
            context.folder(policy),
            found.trees["train"],
            found.trees["heldout"],
            context.recipe.ppm,
            context.recipe.training,
            scale=context.recipe.search.ppm_scale,
            seed=context.seed(number),
            into=folder,
            progress=progress,
            answered=found.answered,
        )
        if context.recipe.gate.ppm:
            distributed.on_rank0(
                lambda: _refuse_worse(context, number, folder, found.trees["heldout"], metrics)
            )
        return metrics

    return training


def _refuse_worse(
    context: TrainingContext,
    number: int,
    folder: Path,
    heldout: Sequence[PackedTree],
    metrics: dict[str, Any],
) -> None:
    """`Refused` if the PPM in `folder` orders the held-out pairs worse than the one before it, or,
    where there is none, than a coin."""
    after = _accuracy_by_problem(context, folder, heldout)
    before = context.database.read(queries.latest_published, context.run, "ppm", number - 1)
    old = _accuracy_by_problem(context, context.folder(before), heldout) if before else {}
    comparison = compare(old or dict.fromkeys(after, 0.5), after)
    if comparison.is_worse:
        raise Refused(f"pair accuracy on held-out problems fell to {comparison}", metrics)


def _accuracy_by_problem(
    context: TrainingContext, folder: Path, heldout: Sequence[PackedTree]
) -> dict[str, float]:
    points = points_by_problem(load_ppm(folder), heldout, context.recipe.ppm.max_tokens)
    return {problem: fmean(some) for problem, some in points.items()}
