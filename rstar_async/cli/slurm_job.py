"""`python -m rstar_async.cli.slurm_job HOME`: what the batch script of a run executes.

Runs the rounds that are not done in the allocation it is in, prints the table, and notes the exit
code. Told to stop because its time is nearly up, it has the job queued again.
"""

import os
import signal
import sys
from pathlib import Path

from rstar_async.cli.run import BAD_INPUT, announce, close, show_complete
from rstar_async.config import Recipe
from rstar_async.config.loader import read_stored_recipe
from rstar_async.coordinator.preflight import check_startable, is_complete
from rstar_async.errors import BadInput
from rstar_async.launch.slurm.commands import requeue, state_of
from rstar_async.launch.slurm.head import lead
from rstar_async.launch.slurm.job_file import SubmittedJob, folder_of, write_job
from rstar_async.launch.slurm.script import NOTICE_SECONDS

TOLD_TO_STOP = 128 + signal.SIGTERM


def main() -> int:
    """The exit code of `rstar run`."""
    home = Path(sys.argv[1])
    job = os.environ.get("SLURM_JOB_ID", "")
    try:
        recipe = read_stored_recipe(home / "recipe.json")
        code = _run(recipe)
    except BadInput as error:
        print(f"rstar: {error}", file=sys.stderr)
        code = BAD_INPUT
    if code == TOLD_TO_STOP and _time_is_up(job):
        print(f"rstar: the time of job {job} is up: queueing it again", file=sys.stderr, flush=True)
        requeue(job)
    elif code < TOLD_TO_STOP:
        write_job(home, SubmittedJob(job, code))
    return code


def _run(recipe: Recipe) -> int:
    _refuse_lost_store(recipe)
    check_startable(recipe)
    if is_complete(recipe):
        return show_complete(recipe)
    announce(recipe)
    code = lead(recipe)
    return code if code >= BAD_INPUT else close(recipe, None, code)


def _time_is_up(job: str) -> bool:
    """Whether it was the notice before the end of the job's time that stopped us, and not scancel,
    preemption or a node's failure, after which Slurm itself does what is to be done."""
    state = state_of(job)
    return (
        state is not None and state.name == "RUNNING" and state.seconds_left <= 2 * NOTICE_SECONDS
    )


def _refuse_lost_store(recipe: Recipe) -> None:
    """A store on one node's disk can be continued on that node only."""
    from rstar_async.cli.slurm_run import is_shared

    if is_shared(recipe):
        return
    here, file = os.environ.get("SLURMD_NODENAME", ""), folder_of(recipe.home_folder) / "store_node"
    if file.exists() and (node := file.read_text()) != here:
        raise BadInput(
            f"the store {recipe.database} is on the disk of node {node}, and this is {here}: "
            f"submit with --slurm.options '[\"--nodelist={node}\"]', or use PostgreSQL"
        )
    file.write_text(here)


if __name__ == "__main__":
    sys.exit(main())
