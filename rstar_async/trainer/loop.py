"""Waits for searched rounds and trains on them, until it is told to end."""

import logging
import time

from rstar_async.telemetry.metrics import TRAINED_ROUNDS, TRAINING_SECONDS
from rstar_async.trainer import team
from rstar_async.trainer.bootstrap import BOOTSTRAP, bootstrap
from rstar_async.trainer.endings import Stopped
from rstar_async.trainer.hub import push_all
from rstar_async.trainer.pruning import prune
from rstar_async.trainer.publish import clear_leftovers
from rstar_async.trainer.round import train_round
from rstar_async.trainer.workshop import Workshop
from storage import queries

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


def serve(shop: Workshop, *, once: bool = False) -> None:
    """Train every round that awaits it; with `once`, end when none does.

    Nothing is remembered here: after a crash, the round is still awaiting its training.
    """
    team.lead(lambda: _tidy(shop))
    while not team.agree(shop.should_stop())[0]:
        round_ = team.lead(lambda: shop.database.read(queries.round_awaiting_training, shop.run))
        if round_ is not None:
            try:
                _train(shop, round_.number)
            except Stopped as stopped:
                log.info("%s", stopped)
        elif once:
            return
        else:
            time.sleep(POLL_SECONDS)


def _tidy(shop: Workshop) -> None:
    for name in clear_leftovers(shop.models, {model.id for model in shop.versions()}):
        log.info("removed unfinished %s", name)


def _train(shop: Workshop, number: int) -> None:
    started = time.monotonic()
    if number == BOOTSTRAP:
        bootstrap(shop)
    else:
        train_round(shop, number)
    team.lead(lambda: prune(shop))
    seconds = time.monotonic() - started
    TRAINED_ROUNDS.labels(str(number)).inc()
    TRAINING_SECONDS.labels(str(number)).inc(seconds)
    log.info("trained", extra={"run": shop.run, "round": number, "seconds": round(seconds, 1)})
    if hub := shop.recipe.training.hub:
        team.lead(lambda: push_all(shop.made_in(number), hub))
