"""Waits for searched rounds and trains on them, until it is asked to stop."""

import logging
import time

from rstar_async.models.registry import prunable
from rstar_async.telemetry.metrics import TRAINED_ROUNDS, TRAINING_SECONDS
from rstar_async.trainer import distributed
from rstar_async.trainer.bootstrap import BOOTSTRAP, bootstrap
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.hub import push_all
from rstar_async.trainer.publish import clear_drafts, remove_published
from rstar_async.trainer.round import train_round
from rstar_async.wire.memory import give_back_garbage
from storage import queries
from storage.records import ModelStanding

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


def serve(context: TrainingContext, *, once: bool = False) -> None:
    """Train every round that awaits training; with `once`, return when there is none.

    The state is in the database: after a crash, the round still awaits training.
    """
    distributed.on_rank0(lambda: _remove_drafts(context))
    while not distributed.any_rank(context.should_stop())[0]:
        round_ = distributed.on_rank0(
            lambda: context.database.read(queries.round_awaiting_training, context.run)
        )
        if round_ is not None:
            try:
                _train(context, round_.number)
            except Stopped as stopped:
                log.info("training stopped", extra={"reason": str(stopped)})
        elif once:
            return
        else:
            time.sleep(POLL_SECONDS)


def _remove_drafts(context: TrainingContext) -> None:
    for name in clear_drafts(context.models):
        log.info("unfinished model removed", extra={"model": name})


def _train(context: TrainingContext, number: int) -> None:
    started = time.monotonic()
    try:
        if number == BOOTSTRAP:
            bootstrap(context)
        else:
            train_round(context, number)
    finally:
        give_back_garbage()
    distributed.on_rank0(lambda: prune(context))
    seconds = time.monotonic() - started
    TRAINED_ROUNDS.labels(str(number)).inc()
    TRAINING_SECONDS.labels(str(number)).inc(seconds)
    log.info("trained", extra={"run": context.run, "round": number, "seconds": round(seconds, 1)})
    if hub := context.recipe.training.hub:
        home = context.recipe.home_folder
        distributed.on_rank0(lambda: push_all(context.made_in(number), home, hub))


def prune(context: TrainingContext) -> None:
    """Keep the newest `training.keep_versions` of each kind and those in use; 0 keeps all.

    The row is updated before the weights are deleted, so a row never promises missing weights.
    """
    keep = context.recipe.training.keep_versions
    if not keep:
        return
    rounds = context.database.read(queries.rounds_of, context.run)
    in_use = [name for r in rounds if r.status != "closed" for name in (r.policy_id, r.ppm_id)]
    for version in prunable(context.versions(), in_use, keep):
        reason = f"training.keep_versions is {keep}"
        context.database.commit(ModelStanding(version.id, "pruned", reason))
        if remove_published(context.folder(version), version.id):
            log.info("model pruned", extra={"model": version.id})
