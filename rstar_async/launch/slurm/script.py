"""Batch scripts, rendered from a recipe. Pure."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rstar_async.config import SlurmConfig
from rstar_async.errors import BadInput

# Seconds before the end of its time in which a job is told to stop.
NOTICE_SECONDS = 120
TEMPLATE = """#!/bin/bash
{directives}

{setup}
exec {command}
"""
MARKS = ("{directives}", "{command}")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to submit: `tasks` above 0 makes an array of as many jobs of one node each."""

    name: str
    command: Sequence[str]
    output: Path
    folder: Path
    tasks: int = 0


def render(job: Job, slurm: SlurmConfig, template: str = TEMPLATE) -> str:
    """The script. `BadInput` if the template lacks a place for what it must hold."""
    for mark in MARKS:
        if mark not in template:
            raise BadInput(f"slurm.template {slurm.template}: it has no {mark}")
    setup = "\n".join(slurm.setup)
    parts = {
        "{directives}": "\n".join(f"#SBATCH {line}" for line in directives(job, slurm)),
        "{setup}\n": f"{setup}\n" if setup else "",
        "{setup}": setup,
        "{command}": shlex.join(job.command),
    }
    for mark, text in parts.items():
        template = template.replace(mark, text)
    return template


def directives(job: Job, slurm: SlurmConfig) -> list[str]:
    """What stands behind `#SBATCH`, the user's own options last: they win."""
    given = {
        "partition": slurm.partition,
        "time": slurm.time,
        "account": slurm.account,
        "qos": slurm.qos,
        "mem": slurm.memory,
        "cpus-per-task": slurm.cpus or "",
        "gpus-per-node": slurm.gpus or "",
        "array": f"1-{job.tasks}" if job.tasks else "",
    }
    return [
        f"--job-name={_quoted(job.name)}",
        f"--nodes={1 if job.tasks else slurm.node_count or 1}",
        "--ntasks-per-node=1",
        *(f"--{name}={_quoted(str(value))}" for name, value in given.items() if value),
        *([] if slurm.cpus else ["--exclusive"]),
        f"--chdir={_quoted(str(job.folder))}",
        f"--output={_quoted(str(job.output))}",
        "--open-mode=append",
        "--requeue",
        f"--signal=B:TERM@{NOTICE_SECONDS}",
        *slurm.options,
    ]


def literal(path: Path) -> Path:
    """A path in which sbatch replaces nothing."""
    return Path(str(path).replace("%", "%%"))


def _quoted(text: str) -> str:
    """As sbatch reads it, which knows double quotes only."""
    if shlex.quote(text) == text:
        return text
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
