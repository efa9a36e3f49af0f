"""`python -m rstar_async.trainer --recipe RESOLVED.json --run NAME`: the trainer process."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.config.loader import read_stored_recipe
from rstar_async.errors import BadInput
from rstar_async.telemetry import heartbeat, process
from rstar_async.trainer import env
from rstar_async.trainer.ranks import refuse


def main() -> int:
    """Serve one run. The exit code is 0 after a stop signal, 2 for bad input."""
    options = _parse()
    code = _run(options)
    if "torch" in sys.modules:
        from rstar_async.trainer.distributed import exit_rank

        exit_rank(code)
    return code


def _run(options: argparse.Namespace) -> int:
    if os.environ.get("RANK", "0") != "0":  # only rank 0 has the port and the heartbeat
        options.metrics = options.heartbeat = None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        process.begin(options, "trainer")
        _serve(read_stored_recipe(options.recipe), options.run, stop, options.once)
    except BadInput as error:
        return refuse(error)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rstar_async.trainer", description=__doc__)
    parser.add_argument("--recipe", type=Path, required=True, help="the resolved recipe, as JSON")
    parser.add_argument("--run", help="which run; the recipe's name if not given")
    parser.add_argument("--once", action="store_true", help="end when no round awaits training")
    process.add_options(parser)
    return parser.parse_args()


def _serve(recipe: Recipe, run: str | None, stop: threading.Event, once: bool) -> None:
    env.set_environment()
    # These imports take seconds; `--help` and bad options need not wait for them.
    import torch

    from rstar_async.trainer import distributed
    from rstar_async.trainer.context import TrainingContext
    from rstar_async.trainer.hub import check_name
    from rstar_async.trainer.loop import serve
    from rstar_async.trainer.trackers import check_extras
    from storage.database import open_database

    def should_stop() -> bool:
        """Called between polls and after every optimiser step."""
        heartbeat.beat()
        return stop.is_set()

    check_extras(recipe.training)
    if recipe.training.hub:
        check_name(recipe.training.hub)
    torch.set_num_threads(recipe.training.threads)
    distributed.join()
    try:
        with open_database(recipe.database_url) as database:
            serve(TrainingContext(recipe, run or recipe.name, database, should_stop), once=once)
    finally:
        distributed.leave()


if __name__ == "__main__":
    sys.exit(main())
