"""Has an order carried out on this machine: starts what it takes, and brings back the results."""

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import structs

from rstar_async.config import Recipe, WorkersConfig
from rstar_async.engines.checks import check_servable
from rstar_async.evaluation.request import EvaluationRequest
from rstar_async.launch.run import launch_client

CLIENT = "rstar_async.evaluation"
RESULTS = "results.json"

T = TypeVar("T")


def submit(order: EvaluationRequest, home: Path, reply: type[T]) -> tuple[T | None, int]:
    """The results, None if it was stopped before, and the exit code of the processes.

    `order.results` must lie in `home`, which is locked meanwhile; results of earlier orders go.
    """
    check_servable(order.recipe, ppm=order.ppm is not None)
    results = Path(order.results)
    results.unlink(missing_ok=True)
    recipe = structs.replace(order.recipe, workers=_workers(order.recipe, order.ppm))
    code = launch_client(CLIENT, recipe, home, order)
    if not results.is_file():
        return None, code
    return msgspec.json.decode(results.read_bytes(), type=reply), code


def _workers(recipe: Recipe, ppm: str | None) -> WorkersConfig:
    """Without a PPM nobody has to serve one."""
    return recipe.workers if ppm else structs.replace(recipe.workers, reward=0)
