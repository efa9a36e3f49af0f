"""`rstar workers POOL --join RUN`: more workers for a run that goes on elsewhere.

Here and now, or with `--array N` as N jobs of Slurm. They may join and leave at any time.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.config import Recipe

TAKES_OVERRIDES = True
POOLS = ("executor", "inference", "reward")
SECTIONS = ("workers.", "sglang.", "openai.", "slurm.", "observe.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pool", choices=POOLS, help="what they do")
    parser.add_argument(
        "--join", type=Path, required=True, metavar="RUN", help="folder of the run, e.g. runs/demo"
    )
    parser.add_argument(
        "--array", type=whole(1, 10_000), metavar="N", help="as N jobs of Slurm, one node each"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --array: print the script, submit nothing"
    )
    parser.epilog = (
        "Settings of [workers] and [slurm] may differ from the run's: --workers.executor 4, "
        "--slurm.partition cpu, ..."
    )


def run(arguments: argparse.Namespace) -> int:
    """Work until the run is over; with `--array` submit the jobs and return."""
    home = arguments.join.absolute()
    recipe = _recipe(home, arguments.overrides)
    if arguments.array:
        return _submit(arguments, home, recipe)
    import trio

    from rstar_async.launch.joining import Joining, join_run, label_of_this_process

    return trio.run(join_run, Joining(home, recipe, arguments.pool, label_of_this_process()))


def _recipe(home: Path, overrides: list[tuple[str, str]]) -> "Recipe":
    from rstar_async.config.loader import changed, read_stored_recipe
    from rstar_async.launch.run_folders import RECIPE, is_run, why_no_run

    if not is_run(home):
        raise BadInput(why_no_run(home))
    if not (home / RECIPE).is_file():
        raise BadInput(f"the run in {home} has no {RECIPE}, which says how its workers are set up")
    for name, _ in overrides:
        if not name.startswith(SECTIONS):
            raise BadInput(f"{name} is a setting of the run; it cannot differ for some workers")
    return changed(read_stored_recipe(home / RECIPE), overrides)


def _submit(arguments: argparse.Namespace, home: Path, recipe: "Recipe") -> int:
    from rstar_async.cli.slurm_run import write_and_submit
    from rstar_async.launch.slurm.job_file import folder_of
    from rstar_async.launch.slurm.script import Job, literal

    given = (word for name, value in arguments.overrides for word in (f"--{name}", value))
    python = recipe.slurm.python or sys.executable
    job = Job(
        name=f"rstar-{recipe.name}-{arguments.pool}",
        command=(
            *(python, "-P", "-m", "rstar_async.cli", "workers", arguments.pool),
            *("--join", str(home), *given),
        ),
        output=literal(folder_of(home)) / f"{arguments.pool}-%A_%a.log",
        folder=Path.cwd(),
        tasks=arguments.array,
    )
    slurm = recipe.slurm
    if arguments.pool == "executor" and "slurm.gpus" not in dict(arguments.overrides):
        from msgspec import structs

        slurm = structs.replace(slurm, gpus=0)
    number = write_and_submit(home, f"{arguments.pool}.sh", job, slurm, arguments.dry_run)
    if number:
        print(f"job {number}: {arguments.array} x {arguments.pool} for run {recipe.name}")
        print(f"next       rstar status {arguments.join}    shows them once they have joined")
        print(f"           scancel {number}    they finish what they have and leave")
    return 0
