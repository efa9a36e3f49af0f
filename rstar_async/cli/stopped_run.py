"""What became of a run that is not going on, for `rstar status`."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rstar_async.cli.locate import open_existing
from rstar_async.cli.output import print_labelled
from rstar_async.cli.run_progress import RunProgress
from rstar_async.errors import BadInput
from rstar_async.launch.slurm.job_file import active_job
from rstar_async.reports.run_summary import Accuracy, RunSummary, summary_of
from rstar_async.telemetry.stage_times import Stage

CONTINUES = "the same command that started it continues where it stopped"
DOING = {"searching": "searching", "searched": "training", "trained": "measuring"}


@dataclass(frozen=True, slots=True)
class StoppedRun:
    """`stages` are those of its round that have not ended; `job` is what Slurm says of it, "" if it
    is none of its jobs."""

    home: Path
    summary: RunSummary
    stages: list[Stage]
    job: str = ""

    @classmethod
    def of(cls, home: Path) -> "StoppedRun":
        """Of the run that the folder's recipe names, else of the newest in its store; `BadInput` if
        there is no store that can be read."""
        job, progress = _job(home), RunProgress.of(home)
        try:
            with open_existing(str(home)) as database:
                summary = summary_of(home.name, database, progress.recipe if progress else None)
        except BadInput:
            if not job:
                raise
            summary = RunSummary(home.name)  # a job that has not begun
        stages = progress.stages() if progress else []
        return cls(home, summary, [stage for stage, _ in stages], job)

    @property
    def is_complete(self) -> bool:
        return self.summary.status == "complete"


def show_stopped(run: StoppedRun, *, as_json: bool) -> int:
    """Print it, with where to look next. 0: that it is not going on is no error."""
    if as_json:
        told = {"run": run.summary, "progress": run.stages, "job": run.job}
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
        return 0
    summary = run.summary
    print_labelled("run", f"{summary.run or summary.name}: {state_of(summary, run.job)}")
    for stage in run.stages:
        total = f"/{stage.total:,}" if stage.total else ""
        print_labelled("", f"{stage.title}  {stage.done:,}{total}  {stage.note}".rstrip())
    for title, accuracy in (("policy", summary.policy), ("search", summary.search)):
        if accuracy is not None:
            print_labelled(title, accuracy_in_words(accuracy))
    if not run.is_complete and not run.job:
        print_labelled("continue", CONTINUES)
    for number, command in enumerate(["report", "view"] * bool(summary.run)):
        print_labelled("" if number else "next", f"rstar {command} {shlex.quote(str(run.home))}")
    return 0


def state_of(summary: RunSummary, job: str = "") -> str:
    """`complete, 3 rounds`; `stopped in round 2 of 3, searching`. Pure."""
    if summary.status == "complete":
        return f"complete, {_rounds(summary.planned)}"
    place, _, status = summary.status.partition(": ")
    if status:
        round_ = "the bootstrap" if place == "bootstrap" else f"{place} of {summary.planned}"
        where = f"in {round_}, {DOING.get(status, status)}"
    elif summary.rounds:
        where = f"after {summary.rounds} of {_rounds(summary.planned)}"
    else:
        where = "before its first round" if summary.run else "before anything was stored"
    return f"{where}; {job}" if job else f"stopped {where}"


def accuracy_in_words(accuracy: Accuracy) -> str:
    value, low, high = (100 * each for each in (accuracy.value, accuracy.low, accuracy.high))
    after = f"round {accuracy.round}" if accuracy.round else "the bootstrap"
    return f"{value:.1f} % [{low:.0f}, {high:.0f}] of held-out problems after {after}"


def _rounds(count: int) -> str:
    return f"{count} round{'s' * (count != 1)}"


def _job(home: Path) -> str:
    """What Slurm says of the job that the run is, "" if it is none."""
    if (found := active_job(home)) is None:
        return ""
    job, state = found
    return f"job {job.id} is {state.name.lower()}, {state.place}"
