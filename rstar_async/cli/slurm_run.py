"""`rstar run` with a `[slurm]` section: submits the run as a job, or attaches to the job it is."""

import argparse
import contextlib
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.config import Recipe, SlurmConfig
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.launch.slurm.job_file import SubmittedJob
    from rstar_async.launch.slurm.script import Job

LOOK_SECONDS = 1.0
ASK_SECONDS = 10.0  # between two questions to Slurm's controller


def submit_run(arguments: argparse.Namespace, recipe: Recipe) -> int:
    """Submit the run and say what to type next; attach if it is a job already."""
    from rstar_async.cli.run import show_complete
    from rstar_async.coordinator.preflight import is_complete
    from rstar_async.launch.slurm.job_file import active_job

    home = recipe.home_folder
    if arguments.dry_run:
        return _dry_run(recipe)
    if (found := active_job(home)) is not None:
        return attach(home, found[0])
    _check(recipe)
    if is_shared(recipe) and is_complete(recipe):
        return show_complete(recipe, arguments.json)
    _print_submitted(recipe, _submit(recipe))
    return 0


def _submit(recipe: Recipe) -> str:
    """Write what the job's processes read, and submit; the job's id."""
    from rstar_async.launch.home import prepare_home
    from rstar_async.launch.lock import RunLock
    from rstar_async.launch.network import CLIENTS, WORKERS
    from rstar_async.launch.slurm.job_file import SubmittedJob, write_job
    from rstar_async.wire.keys import make_keys

    home = recipe.home_folder
    with RunLock(home):  # no process of this machine runs it
        prepare_home(recipe)
        make_keys(home / "keys", CLIENTS, WORKERS)
    number = write_and_submit(home, "run.sh", _job(recipe), recipe.slurm)
    write_job(home, SubmittedJob(number))
    return number


def _print_submitted(recipe: Recipe, number: str) -> None:
    from rstar_async.launch.slurm.job_file import output_of

    home = recipe.home_folder
    shown = shlex.quote(str(home))
    print(f"run {recipe.name}: job {number} of {recipe.slurm.node_count or 1} node(s)")
    print(f"output     {output_of(home)}")
    print(f"next       rstar status {shown}")
    print("           the same command again follows the output, and continues a run that ended")
    print(f"           rstar workers executor --join {shown} --array 16")
    print(f"           scancel {number}    stops it; nothing that was committed is lost")


def attach(home: Path, job: "SubmittedJob") -> int:
    """Print the run's output as it comes until the job ends; Ctrl-C ends only the printing."""
    from rstar_async.launch.slurm.job_file import active_job, output_of, read_job

    print(f"run in {home} is job {job.id}; its output follows, Ctrl-C leaves the job alone")
    offset, asked = 0, time.monotonic()
    while True:
        offset = _print_from(output_of(home), offset)
        ended = read_job(home)
        if ended is not None and ended.exit_code is not None:
            _print_from(output_of(home), offset)
            return ended.exit_code
        if time.monotonic() - asked > ASK_SECONDS:
            asked = time.monotonic()
            if active_job(home) is None:
                _print_from(output_of(home), offset)
                print(f"job {job.id} has ended; the same command again continues the run")
                return 1
        time.sleep(LOOK_SECONDS)


def write_and_submit(
    home: Path, name: str, job: "Job", slurm: SlurmConfig, dry_run: bool = False
) -> str:
    """Write the script into the run's folder and submit it; the job's id. With `dry_run` print the
    script instead, and return ""."""
    from rstar_async.launch.slurm.commands import submit
    from rstar_async.launch.slurm.job_file import folder_of
    from rstar_async.launch.slurm.script import TEMPLATE, render

    text = render(job, slurm, _template(slurm) or TEMPLATE)
    if dry_run:
        print(text, end="")
        return ""
    script = folder_of(home) / name
    script.parent.mkdir(mode=0o700, exist_ok=True)
    script.write_text(text)
    return submit(script)


def _job(recipe: Recipe) -> "Job":
    from rstar_async.launch.slurm.job_file import output_of
    from rstar_async.launch.slurm.script import Job, literal

    python = recipe.slurm.python or sys.executable
    module = (python, "-P", "-m", "rstar_async.cli.slurm_job")
    return Job(
        name=f"rstar-{recipe.name}",
        command=(*module, str(recipe.home_folder)),
        output=literal(output_of(recipe.home_folder)),
        folder=Path.cwd(),
    )


def _dry_run(recipe: Recipe) -> int:
    """Print the script and the resolved recipe; write and submit nothing."""
    import msgspec

    from rstar_async.config.loader import as_toml_values
    from rstar_async.coordinator.preflight import check_recipe
    from storage import engines

    check_recipe(recipe)
    write_and_submit(recipe.home_folder, "run.sh", _job(recipe), recipe.slurm, dry_run=True)
    shown = as_toml_values(recipe)
    if recipe.database:
        shown["database"] = engines.display(engines.parse(recipe.database))
    print(f"\n{msgspec.json.format(msgspec.json.encode(shown)).decode()}")
    return 0


def _check(recipe: Recipe) -> None:
    """What `rstar run` checks. A store on the batch node's own disk is for the job to check."""
    from rstar_async.coordinator.preflight import check_recipe, check_startable

    if is_shared(recipe):
        check_startable(recipe)
    else:
        check_recipe(recipe)


def is_shared(recipe: Recipe) -> bool:
    """Whether every node, and this one, sees the same store."""
    url = recipe.database_url
    return url.startswith("postgres") or Path(url).is_relative_to(recipe.home_folder)


def _template(slurm: SlurmConfig) -> str:
    if not slurm.template:
        return ""
    try:
        return Path(slurm.template).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"slurm.template {slurm.template}: {reason}") from None


def _print_from(file: Path, offset: int) -> int:
    """Print what the file holds beyond `offset`; where it ends now."""
    with contextlib.suppress(FileNotFoundError), open(file, "rb") as stream:
        stream.seek(offset)
        text = stream.read()
        sys.stdout.write(text.decode(errors="replace"))
        sys.stdout.flush()
        return offset + len(text)
    return offset
