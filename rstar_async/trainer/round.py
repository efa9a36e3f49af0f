"""Trains a policy and a PPM on a searched round, published together (paper section 3.4)."""

import logging
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
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
from rstar_async.trainer.label_quality import label_metrics, process_metrics
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import points_by_problem, score_pairs
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm
from rstar_async.trainer.worst_pairs import KEY as WORST_PAIRS
from rstar_async.wire.memory import give_back_garbage
from storage import queries
from storage.records import ModelKind, ModelVersion

log = logging.getLogger(__name__)


def train_round(context: TrainingContext, number: int) -> None:
    """Train on round `number` and publish. Without anything to learn from, the previous models stay
    in use, and the row of a refused version says why."""
    before = context.newest_policy(number - 1)
    if is_bootstrap_policy(context, before):
        before = _start(context)
    encoder = context.encoder(before)
    dataset = build_dataset(
        context, number, encoder, context.max_length(context.recipe.ppm.max_length, before)
    )
    policy = _policy(context, number, dataset, before, encoder)
    give_back_garbage()
    current = policy if policy.status == "published" else before
    ppm = _ppm(context, number, dataset, current)
    for model in (policy, ppm):
        outcome = {"model": model.id, "status": model.status, "reason": model.reason}
        log.info("model trained", extra={**outcome, "round": number})
    context.finish(number, policy, ppm, *dataset.pairs)


def _policy(
    context: TrainingContext,
    number: int,
    dataset: RoundDataset,
    before: ModelVersion,
    encoder: Encoder,
) -> ModelVersion:
    settings = context.recipe.policy
    start = before if settings.start == "previous" else _start(context)
    fitting = within(dataset.rows, context.max_length(settings.max_length, start))
    replayed = context.demonstrations(settings.replay, encoder)
    counts = {
        "problems": dataset.problems,
        "problems_solved": dataset.solved,
        "problems_doubtful": dataset.doubtful,
        "trajectories": len(dataset.rows),
        "too_long": len(dataset.rows) - len(fitting),
        "replayed": len(replayed),
        **process_metrics(dataset.processes),
    }
    if not settings.train:
        reason = "policy.train is off"
        return context.refuse("policy", number, parent=before, reason=reason, counts=counts)
    if settings.learn_from == "demonstrations":
        fitting = list(islice(cycle(replayed), settings.replay))
    elif fitting:
        fitting = [*fitting, *replayed]
    if not fitting:
        reason = f"{_nothing_to_learn(dataset)}; the old policy stays in use"
        return context.refuse("policy", number, parent=before, reason=reason, counts=counts)
    return _make_or_refuse(
        context,
        "policy",
        number,
        (start, before),
        training=policy_training(context, number, start, fitting, settings),
        manifest_fields=context.trained_fields(start, settings),
        counts=counts,
    )


def _make_or_refuse(
    context: TrainingContext,
    kind: ModelKind,
    number: int,
    parents: tuple[ModelVersion, ModelVersion],
    *,
    training: Training,
    manifest_fields: Mapping[str, Any],
    counts: Mapping[str, Any],
) -> ModelVersion:
    """The version that `training` makes from the first parent; or, if it is refused, the row that
    says why, with the second parent, which stays in use."""
    start, before = parents
    try:
        return context.make(
            kind,
            number,
            parent=start,
            training=training,
            phase=kind,
            manifest_fields=manifest_fields,
            counts=counts,
        )
    except Refused as refused:
        counts = {**counts, **refused.metrics}
        counts.pop(WORST_PAIRS, None)
        return context.refuse(kind, number, parent=before, reason=str(refused), counts=counts)


def _untrained(context: TrainingContext) -> Path | None:
    """The folder of a policy that was trained on no problem of the run and has the tokenizer of
    those that were: the bootstrap's, or the base where a stronger model stood in for it; None if
    its weights were pruned."""
    policy, base = context.newest_policy(BOOTSTRAP), context.base()
    if base is not None and is_bootstrap_policy(context, policy):
        policy = base
    folder = context.folder(policy)
    return folder if folder.is_dir() else None


def _start(context: TrainingContext) -> ModelVersion:
    """The base in every round (paper), so that errors do not accumulate; or, by `policy.start`, the
    bootstrap policy, unless that is another model."""
    base, other_model = context.base(), context.recipe.bootstrap.model
    if base is None or (context.recipe.policy.start == "bootstrap" and not other_model):
        return context.newest_policy(BOOTSTRAP)
    return base


def _nothing_to_learn(dataset: RoundDataset) -> str:
    if dataset.rows:
        return f"all {len(dataset.rows)} trajectories are too long"
    if dataset.solved:
        return f"all {dataset.solved} solved problems are held out (policy.skip_heldout)"
    return f"none of {dataset.problems} problems was solved"


def _ppm(
    context: TrainingContext, number: int, dataset: RoundDataset, policy: ModelVersion
) -> ModelVersion:
    settings = context.recipe.ppm
    counts = {
        "pairs_step": sum(pair.kind == "step" for pair in dataset.pairs),
        "pairs_trajectory": sum(pair.kind == "trajectory" for pair in dataset.pairs),
        "pairs_too_long": dataset.too_long_to_label,
        **label_metrics(dataset.labels),
    }
    reason = _why_untrained(context, number, dataset)
    if reason:
        return context.refuse("ppm", number, parent=policy, reason=reason, counts=counts)
    squash = {"squash": "tanh", "scale": context.recipe.search.ppm_scale}
    start = _ppm_start(context, number, policy)
    return _make_or_refuse(
        context,
        "ppm",
        number,
        (start, policy),
        training=_ppm_training(context, number, start, policy, dataset),
        manifest_fields={**context.trained_fields(policy, settings), **squash},
        counts=counts,
    )


def _why_untrained(context: TrainingContext, number: int, dataset: RoundDataset) -> str:
    """Why no PPM is trained on this round; "" if one is."""
    settings = context.recipe.ppm
    if not settings.train:
        return "ppm.train is off"
    if number < settings.first_round:
        return f"ppm.first_round is {settings.first_round}"
    return "" if dataset.trees["train"] else _nothing_to_prefer(dataset)


def _ppm_start(context: TrainingContext, number: int, policy: ModelVersion) -> ModelVersion:
    """The model whose weights the PPM starts from, by `ppm.start`."""
    if context.recipe.ppm.start == "policy":
        return policy
    if context.recipe.ppm.start == "previous":
        previous = context.database.read(queries.latest_published, context.run, "ppm", number - 1)
        if previous is not None:
            return previous
    return context.newest_policy(BOOTSTRAP)


def _nothing_to_prefer(dataset: RoundDataset) -> str:
    if dataset.pairs:
        return f"all {len(dataset.pairs)} preference pairs are of held-out problems"
    return f"no preference pairs in {dataset.problems} problems"


def _ppm_training(
    context: TrainingContext,
    number: int,
    start: ModelVersion,
    policy: ModelVersion,
    dataset: RoundDataset,
) -> Training:
    recipe = context.recipe
    job = PPMJob(
        start=context.folder(start),
        trees=dataset.trees["train"],
        heldout=dataset.trees["heldout"],
        settings=recipe.ppm,
        training=recipe.training,
        scale=recipe.search.ppm_scale,
        seed=context.seed(number),
        answered=dataset.answered,
        reference=_untrained(context) or context.folder(policy),
    )

    def training(folder: Path, progress: TrainingProgress) -> dict[str, Any]:
        metrics = train_ppm(job, into=folder, progress=progress)
        if recipe.gate.ppm:
            distributed.on_rank0(
                lambda: _refuse_worse(context, number, folder, job.measuring, metrics)
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
    """`Refused` if the PPM in `folder` orders the held-out pairs worse than the previous one, or
    than chance if there is none."""
    after = _accuracy_by_problem(context, folder, heldout)
    before = context.database.read(queries.latest_published, context.run, "ppm", number - 1)
    old = _accuracy_by_problem(context, context.folder(before), heldout) if before else {}
    comparison = compare(old or dict.fromkeys(after, 0.5), after)
    if comparison.is_worse:
        raise Refused(f"pair accuracy on held-out problems fell to {comparison}", metrics)


def _accuracy_by_problem(
    context: TrainingContext, folder: Path, heldout: Sequence[PackedTree]
) -> dict[str, float]:
    pairs = score_pairs(load_ppm(folder), heldout, context.recipe.ppm.max_tokens)
    return {problem: fmean(points) for problem, points in points_by_problem(pairs).items()}
