"""A searched round becomes a policy and a PPM, published together (paper section 3.4)."""

import logging
from typing import Any

from rstar_async.text.encoding import Encoder
from rstar_async.trainer.bootstrap import BOOTSTRAP
from rstar_async.trainer.dataset import within
from rstar_async.trainer.harvest import Harvest, harvest
from rstar_async.trainer.policy import train_policy
from rstar_async.trainer.ppm import train_ppm
from rstar_async.trainer.publish import Refused, draft, publish
from rstar_async.trainer.workshop import Workshop, probe, refusal
from storage.records import ModelVersion

log = logging.getLogger(__name__)


def train_round(shop: Workshop, number: int) -> None:
    """Train on round `number` and publish. Without anything to learn from, the models before stay
    in use, and a refused version says so."""
    before = shop.newest_policy(number - 1)
    encoder = shop.encoder(before)
    found = harvest(shop, number, encoder, shop.max_length(shop.recipe.ppm.max_length, before))
    policy = _policy(shop, number, found, before, encoder)
    current = policy if policy.status == "published" else before
    ppm = _ppm(shop, number, found, current, encoder)
    for model in (policy, ppm):
        log.info("%s %s round=%d %s", model.status, model.id, number, model.reason)
    shop.finish(number, policy, ppm, *found.pairs)


def _policy(
    shop: Workshop, number: int, found: Harvest, before: ModelVersion, encoder: Encoder
) -> ModelVersion:
    start = _start(shop)
    rows = [*found.rows, *shop.demonstrations(shop.recipe.policy.replay, encoder)]
    fitting = within(rows, shop.max_length(shop.recipe.policy.max_length, start))
    counts = {
        "problems": found.problems,
        "problems_solved": found.solved,
        "trajectories": len(found.rows),
        "replayed": len(rows) - len(found.rows),
        "too_long": len(rows) - len(fitting),
    }
    reason = _nothing_to_learn(found, len(fitting))
    if reason:
        return refusal(shop, "policy", number, before.id, reason, counts)
    try:
        return _trained_policy(shop, number, start, fitting, counts, encoder)
    except Refused as refused:
        return refusal(shop, "policy", number, before.id, str(refused), counts)


def _start(shop: Workshop) -> ModelVersion:
    """The base in every round (paper), so that errors do not pile up; or the bootstrap."""
    base = shop.base()
    if base is None or shop.recipe.policy.start == "bootstrap":
        return shop.newest_policy(BOOTSTRAP)
    return base


def _nothing_to_learn(found: Harvest, fitting: int) -> str:
    if not found.rows:
        return f"none of {found.problems} problems was solved; the old policy is carried on"
    if not fitting:
        return f"all {len(found.rows)} trajectories are too long; the old policy is carried on"
    return ""


def _trained_policy(
    shop: Workshop,
    number: int,
    start: ModelVersion,
    rows: list[Any],
    counts: dict[str, Any],
    encoder: Encoder,
) -> ModelVersion:
    watch = shop.watch("policy", number)
    with draft(shop.models) as folder:
        metrics = train_policy(
            shop.folder(start),
            rows,
            shop.recipe.policy,
            seed=shop.seed(number),
            dtype=shop.recipe.model.dtype,
            into=folder,
            watch=watch,
        )
        return publish(
            folder,
            kind="policy",
            run=shop.run,
            round_number=number,
            parent=start.id,
            facts=shop.facts("tagged", shop.recipe.policy),
            metrics={**counts, **metrics},
            lines=watch.lines,
            probe=probe(encoder),
        )


def _ppm(
    shop: Workshop, number: int, found: Harvest, policy: ModelVersion, encoder: Encoder
) -> ModelVersion:
    counts = {
        "pairs_step": sum(pair.kind == "step" for pair in found.pairs),
        "pairs_trajectory": sum(pair.kind == "trajectory" for pair in found.pairs),
        "pairs_too_long": found.pairs_too_long,
    }
    if not shop.recipe.ppm.train:
        return refusal(shop, "ppm", number, policy.id, "ppm.train is off", counts)
    if not found.trees["train"]:
        reason = f"no preference pairs in {found.problems} problems"
        return refusal(shop, "ppm", number, policy.id, reason, counts)
    try:
        return _trained_ppm(shop, number, found, policy, counts, encoder)
    except Refused as refused:
        return refusal(shop, "ppm", number, policy.id, str(refused), counts)


def _trained_ppm(
    shop: Workshop,
    number: int,
    found: Harvest,
    policy: ModelVersion,
    counts: dict[str, Any],
    encoder: Encoder,
) -> ModelVersion:
    watch = shop.watch("ppm", number)
    with draft(shop.models) as folder:
        metrics = train_ppm(
            shop.folder(policy),
            found.trees["train"],
            found.trees["heldout"],
            shop.recipe.ppm,
            seed=shop.seed(number),
            dtype=shop.recipe.model.dtype,
            into=folder,
            watch=watch,
        )
        squash = {"squash": "tanh", "scale": shop.recipe.search.ppm_scale}
        return publish(
            folder,
            kind="ppm",
            run=shop.run,
            round_number=number,
            parent=policy.id,
            facts={**shop.facts("tagged", shop.recipe.ppm), **squash},
            metrics={**counts, **metrics},
            lines=watch.lines,
            probe=probe(encoder),
        )
