"""What the command line asks of the process `rstar_async.evaluation`, and how it is asked."""

from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import msgspec
from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.engines.checks import check_servable
from rstar_async.evaluation.models import ModelRef
from rstar_async.evaluation.schedules import Schedule
from rstar_async.launch.run import launch_client

PROCESS = "rstar_async.evaluation"
RESULTS = "results.json"

Kind: TypeAlias = Literal["evaluate", "schedules", "solve"]
T = TypeVar("T")


class EvaluationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which model tries which stored problems, under the settings of its recipe.

    The reply is `Results` of an evaluation, `ScheduleResults` of a comparison of schedules,
    `Solved` of a single question. `baselines` are names of strategies.
    """

    kind: Kind
    model: ModelRef
    problems: list[str]
    benchmark: str = ""
    baselines: list[str] = []
    schedules: tuple[Schedule, ...] = ()


def submit(request: EvaluationRequest, home: Path, reply: type[T]) -> tuple[T | None, int]:
    """The reply, None if the processes were stopped before, and their exit code.

    Starts brokers, workers and the process on this machine. `home` is locked meanwhile; the reply
    to an earlier request is deleted.
    """
    check_servable(request.model.recipe, ppm=request.model.ppm is not None)
    results = home / RESULTS
    results.unlink(missing_ok=True)
    code = launch_client(PROCESS, _launched(request.model), home, request)
    if not results.is_file():
        return None, code
    return msgspec.json.decode(results.read_bytes(), type=reply), code


def _launched(model: ModelRef) -> Recipe:
    """Without a PPM there is nothing for a reward worker to serve."""
    workers = model.recipe.workers if model.ppm else structs.replace(model.recipe.workers, reward=0)
    return structs.replace(model.recipe, workers=workers)
