"""`HOME/slurm/job.json`: which job a run is, and how its last start ended."""

import contextlib
from pathlib import Path

import msgspec

from rstar_async.launch.home import write_private
from rstar_async.launch.slurm.commands import JobState, state_of


class SubmittedJob(msgspec.Struct, frozen=True):
    """`exit_code` is that of `rstar run`; None until the job has ended by itself."""

    id: str
    exit_code: int | None = None


def folder_of(home: Path) -> Path:
    """Scripts, outputs and this file."""
    return home / "slurm"


def output_of(home: Path) -> Path:
    """What the run printed, over all its starts."""
    return folder_of(home) / "run.log"


def write_job(home: Path, job: SubmittedJob) -> None:
    write_private(folder_of(home) / "job.json", job)


def read_job(home: Path) -> SubmittedJob | None:
    """None if the run never was a job."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return msgspec.json.decode((folder_of(home) / "job.json").read_bytes(), type=SubmittedJob)
    return None


def active_job(home: Path) -> tuple[SubmittedJob, JobState] | None:
    """The job that the run waits for or goes on in, None if there is none."""
    job = read_job(home)
    if job is None or job.exit_code is not None:
        return None
    state = state_of(job.id)
    return (job, state) if state is not None and state.holds_the_run else None
