"""`rstar train`: a policy or a PPM from files alone.

rstar train policy --data sft.json --model MODEL --into models
rstar train ppm --data preferences.jsonl --model models/policy-… --into models
torchrun --nproc-per-node 8 -m rstar_async.cli train policy …      on several GPUs
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.config import Recipe

TAKES_OVERRIDES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Any setting of a recipe: --policy.epochs 2, --training.dtype bfloat16, ..."
    parser.add_argument("kind", choices=["policy", "ppm"])
    parser.add_argument(
        "--data", required=True, help="JSON, JSONL or parquet file, saved dataset, or hf:NAME@SPLIT"
    )
    parser.add_argument("--into", type=Path, required=True, help="folder to publish the model in")
    parser.add_argument("--model", help="folder, GGUF file, package:NAME or hub id to start from")
    parser.add_argument("--recipe", type=Path, help="TOML file with [policy], [ppm], [training]")
    parser.add_argument("--seed", help="for the order of the data")


def run(arguments: argparse.Namespace) -> int:
    """Train and publish; 0 when the model is published. The same command resumes a killed one."""
    from rstar_async.config.loader import read_recipe
    from rstar_async.models.sources import require
    from rstar_async.trainer import env

    given = [("model.base", arguments.model), ("seed", arguments.seed)]
    overrides = [(key, value) for key, value in given if value is not None]
    recipe = read_recipe(arguments.recipe, [*overrides, *arguments.overrides])
    require(recipe.model.base)
    if not arguments.data.startswith("hf:") and not Path(arguments.data).exists():
        raise BadInput(f"there is no file or folder {arguments.data}")
    env.set_environment()
    with _stop_on_signal() as should_stop:
        return _train(arguments, recipe, should_stop)


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield whether SIGTERM or SIGINT has come: training then ends after the current step."""
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop.is_set
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _train(arguments: argparse.Namespace, recipe: "Recipe", should_stop: Callable[[], bool]) -> int:
    from rstar_async.trainer import distributed
    from rstar_async.trainer.errors import Stopped
    from rstar_async.trainer.standalone import FileTrainingJob, train_from_file

    job = FileTrainingJob(
        arguments.kind, arguments.data, arguments.into.absolute(), recipe, should_stop, _show
    )
    distributed.join()
    try:
        folder = train_from_file(job)
    except Stopped as stopped:
        print(f"{stopped}; the same command goes on from there", file=sys.stderr)
        return 1
    finally:
        distributed.leave()
    if distributed.is_rank0():
        print(folder)
    return 0


def _show(line: Mapping[str, Any]) -> None:
    loss = "" if line["loss"] is None else f"  loss {line['loss']:.4f}"
    print(f"{line['phase']}  {line['step']}/{line['total']}{loss}", file=sys.stderr)
