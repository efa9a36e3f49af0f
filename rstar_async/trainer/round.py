"""A searched round becomes a policy and a PPM, published together (paper section 3.4)."""

import logging

from rstar_async.text.encoding import Encoder
from rstar_async.trainer.bootstrap import BOOTSTRAP, is_guest, policy_training
from rstar_async.trainer.dataset import within
from rstar_async.trainer.harvest import Harvest, harvest
from rstar_async.trainer.ppm import train_ppm
from rstar_async.trainer.publish import Refused
from rstar_async.trainer.workshop import Training, Workshop
from storage.records import ModelVersion

log = logging.getLogger(__name__)


def train_round(shop: Workshop, number: int) -> None:
    """Train on round `number` and publish. Without anything to learn from, the models before stay
    in use, and a refused version says so."""
    before = shop.newest_policy(number - 1)
    if is_guest(shop, before):
        before = _start(shop)
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
    try:
        return shop.make(
            "policy",
            number,
            parent=start,
            training=policy_training(shop, number, start, fitting, settings),
            phase="policy",
            facts=shop.facts("tagged", settings),
            counts=counts,
            encoder=encoder,
        )
    except Refused as refused:
        return shop.refuse("policy", number, parent=before, reason=str(refused), counts=counts)


def _start(shop: Workshop) -> ModelVersion:
    """The base in every round (paper), so that errors do not pile up; or the bootstrap."""
    base, guest = shop.base(), shop.recipe.bootstrap.model
    if base is None or (shop.recipe.policy.start == "bootstrap" and not guest):
        return shop.newest_policy(BOOTSTRAP)
    return base


def _nothing_to_learn(found: Harvest) -> str:
    if found.rows:
        return f"all {len(found.rows)} trajectories are too long"
    return f"none of {found.problems} problems was solved"


def _ppm(
    shop: Workshop, number: int, found: Harvest, policy: ModelVersion, encoder: Encoder
) -> ModelVersion:
    settings = shop.recipe.ppm
    counts = {
        "pairs_step": sum(pair.kind == "step" for pair in found.pairs),
        "pairs_trajectory": sum(pair.kind == "trajectory" for pair in found.pairs),
        "pairs_too_long": found.pairs_too_long,
    }
    if not found.trees["train"]:
        reason = _nothing_to_prefer(found) if settings.train else "ppm.train is off"
        return shop.refuse("ppm", number, parent=policy, reason=reason, counts=counts)
    squash = {"squash": "tanh", "scale": shop.recipe.search.ppm_scale}
    try:
        return shop.make(
            "ppm",
            number,
            parent=policy,
            training=_ppm_training(shop, number, policy, found),
            phase="ppm",
            facts={**shop.facts("tagged", settings), **squash},
            counts=counts,
            encoder=encoder,
        )
    except Refused as refused:
        return shop.refuse("ppm", number, parent=policy, reason=str(refused), counts=counts)


def _nothing_to_prefer(found: Harvest) -> str:
    if found.pairs:
        return f"all {len(found.pairs)} preference pairs are of held-out problems"
    return f"no preference pairs in {found.problems} problems"


def _ppm_training(shop: Workshop, number: int, policy: ModelVersion, found: Harvest) -> Training:
    return lambda folder, watch: train_ppm(
        shop.folder(policy),
        found.trees["train"],
        found.trees["heldout"],
        shop.recipe.ppm,
        seed=shop.seed(number),
        dtype=shop.recipe.model.dtype,
        into=folder,
        watch=watch,
    )
