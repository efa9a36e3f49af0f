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


def train_round(shop: TrainingContext, number: int) -> None:
    """Train on round `number` and publish. Without anything to learn from, the models before stay
    in use, and a refused version says so."""
    before = shop.newest_policy(number - 1)
    if is_bootstrap_policy(shop, before):
        before = _start(shop)
    encoder = shop.encoder(before)
    found = build_dataset(
        shop, number, encoder, shop.max_length(shop.recipe.ppm.max_length, before)
    )
    policy = _policy(shop, number, found, before, encoder)
    current = policy if policy.status == "published" else before
    ppm = _ppm(shop, number, found, current)
    for model in (policy, ppm):
        log.info("%s %s round=%d %s", model.status, model.id, number, model.reason)
    shop.finish(number, policy, ppm, *found.pairs)


def _policy(
    shop: TrainingContext, number: int, found: RoundDataset, before: ModelVersion, encoder: Encoder
) -> ModelVersion:
    settings, start = shop.recipe.policy, _start(shop)
    fitting = within(found.rows, shop.max_length(settings.max_length, start))
    replayed = shop.demonstrations(settings.replay, encoder)
    counts = {
        "problems": found.problems,
        "problems_solved": found.solved,
        "problems_doubtful": found.doubtful,
        "trajectories": len(found.rows),
        "too_long": len(found.rows) - len(fitting),
        "replayed": len(replayed),
    }
    if settings.learn_from == "demonstrations":
        fitting = replayed
    elif fitting:
        fitting = [*fitting, *replayed]
    if not fitting:
        reason = f"{_nothing_to_learn(found)}; the old policy is carried on"
        return shop.refuse("policy", number, parent=before, reason=reason, counts=counts)
    return _made_or_refused(
        shop,
        "policy",
        number,
        (start, before),
        training=policy_training(shop, number, start, fitting, settings),
        facts=shop.facts("tagged", settings),
        counts=counts,
    )


def _made_or_refused(
    shop: TrainingContext,
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
        return shop.make(
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
        return shop.refuse(kind, number, parent=before, reason=str(refused), counts=counts)


def _start(shop: TrainingContext) -> ModelVersion:
    """The base in every round (paper), so that errors do not pile up; or the bootstrap."""
    base, guest = shop.base(), shop.recipe.bootstrap.model
    if base is None or (shop.recipe.policy.start == "bootstrap" and not guest):
        return shop.newest_policy(BOOTSTRAP)
    return base


def _nothing_to_learn(found: RoundDataset) -> str:
    if found.rows:
        return f"all {len(found.rows)} trajectories are too long"
    return f"none of {found.problems} problems was solved"


def _ppm(
    shop: TrainingContext, number: int, found: RoundDataset, policy: ModelVersion
) -> ModelVersion:
    settings = shop.recipe.ppm
    counts = {
        "pairs_step": sum(pair.kind == "step" for pair in found.pairs),
        "pairs_trajectory": sum(pair.kind == "trajectory" for pair in found.pairs),
        "pairs_too_long": found.too_long_to_judge,
    }
    if not found.trees["train"]:
        reason = _nothing_to_prefer(found) if settings.train else "ppm.train is off"
        return shop.refuse("ppm", number, parent=policy, reason=reason, counts=counts)
    squash = {"squash": "tanh", "scale": shop.recipe.search.ppm_scale}
    return _made_or_refused(
        shop,
        "ppm",
        number,
        (policy, policy),
        training=_ppm_training(shop, number, policy, found),
        facts={**shop.facts("tagged", settings), **squash},
        counts=counts,
    )


def _nothing_to_prefer(found: RoundDataset) -> str:
    if found.pairs:
        return f"all {len(found.pairs)} preference pairs are of held-out problems"
    return f"no preference pairs in {found.problems} problems"


def _ppm_training(
    shop: TrainingContext, number: int, policy: ModelVersion, found: RoundDataset
) -> Training:
    def training(folder: Path, watch: TrainingProgress) -> dict[str, Any]:
        metrics = train_ppm(
            shop.folder(policy),
            found.trees["train"],
            found.trees["heldout"],
            shop.recipe.ppm,
            shop.recipe.training,
            scale=shop.recipe.search.ppm_scale,
            seed=shop.seed(number),
            into=folder,
            watch=watch,
        )
        if shop.recipe.gate.ppm:
            distributed.on_rank0(
                lambda: _refuse_worse(shop, number, folder, found.trees["heldout"], metrics)
            )
        return metrics

    return training


def _refuse_worse(
    shop: TrainingContext,
    number: int,
    folder: Path,
    heldout: Sequence[PackedTree],
    metrics: dict[str, Any],
) -> None:
    """`Refused` if the PPM in `folder` orders the held-out pairs worse than the one before it, or,
    where there is none, than a coin."""
    after = _accuracy_by_problem(shop, folder, heldout)
    before = shop.database.read(queries.latest_published, shop.run, "ppm", number - 1)
    old = _accuracy_by_problem(shop, shop.folder(before), heldout) if before else {}
    comparison = compare(old or dict.fromkeys(after, 0.5), after)
    if comparison.is_worse:
        raise Refused(f"pair accuracy on held-out problems fell to {comparison}", metrics)


def _accuracy_by_problem(
    shop: TrainingContext, folder: Path, heldout: Sequence[PackedTree]
) -> dict[str, float]:
    points = points_by_problem(load_ppm(folder), heldout, shop.recipe.ppm.max_tokens)
    return {problem: fmean(some) for problem, some in points.items()}
