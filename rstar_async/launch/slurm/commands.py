"""Slurm's own commands. A mistake that Slurm finds is told in Slurm's words, as `BadInput`."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from rstar_async.errors import BadInput

# States in which a job still holds the run, or will.
ENDING = ("COMPLETING", "CANCELLED", "COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")
# squeue says so of a job that it has forgotten.
FORGOTTEN = "Invalid job id"


class JobState(msgspec.Struct, frozen=True):
    """A job in the queue: `place` is its nodes, or in parentheses why it waits."""

    name: str
    place: str
    seconds_left: float

    @property
    def holds_the_run(self) -> bool:
        return self.name not in ENDING


def submit(script: Path) -> str:
    """Hand the script to sbatch; return the job's id."""
    answer = _run("sbatch", "--parsable", str(script))
    return answer.strip().split(";")[0]


def state_of(job: str) -> JobState | None:
    """None once the job has left the queue."""
    try:
        answer = _run("squeue", "--noheader", "--jobs", job, "--format", "%T|%R|%L")
    except BadInput as error:
        if FORGOTTEN in str(error):
            return None
        raise
    if not answer.strip():
        return None
    name, place, left = answer.splitlines()[0].split("|")
    return JobState(name, place, seconds_of(left))


def requeue(job: str) -> None:
    """Queue a running job again; Slurm then ends what is left of it."""
    _run("scontrol", "requeue", job)


def seconds_of(left: str) -> float:
    """squeue's `[DAYS-][[HOURS:]MINUTES:]SECONDS`; infinite for anything else."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+)", left.strip())
    if found is None:
        return float("inf")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((24.0 * days + hours) * 60 + minutes) * 60 + seconds


def _run(*words: str) -> str:
    """A command's output. Its options in the environment, such as SBATCH_PARTITION, count."""
    if shutil.which(words[0]) is None:
        raise BadInput(f"there is no {words[0]} here: give the command on a login node of Slurm")
    done = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ), check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BadInput(f"{words[0]}: {said[-1].removeprefix(f'{words[0]}: ')}")
    return done.stdout
