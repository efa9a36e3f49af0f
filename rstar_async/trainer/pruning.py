"""Weights of old versions are deleted by rule; their rows, with manifest and metrics, stay."""

import logging
import shutil

from rstar_async.models.registry import prunable
from rstar_async.trainer.workshop import Workshop
from storage import queries
from storage.records import ModelStanding

log = logging.getLogger(__name__)


def prune(shop: Workshop) -> None:
    """Keep `training.keep_versions` of each kind beside those in use; 0 keeps all.

    The row first: a row without weights is pruned, weights without a row would be a leftover.
    """
    keep = shop.recipe.training.keep_versions
    if not keep:
        return
    rounds = shop.database.read(queries.rounds_of, shop.run)
    in_use = [name for r in rounds if r.status != "closed" for name in (r.policy_id, r.ppm_id)]
    for version in prunable(shop.versions(), in_use, keep):
        reason = f"training.keep_versions is {keep}"
        shop.database.commit(ModelStanding(version.id, "pruned", reason))
        shutil.rmtree(shop.folder(version), ignore_errors=True)
        log.info("pruned %s", version.id)
