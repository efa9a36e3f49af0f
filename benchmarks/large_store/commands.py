"""Commands over a large store, each in a process of its own: seconds, CPU seconds, peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import Report

REPORT_SECONDS = 60
MOST_MIB = 512
POLL_SECONDS = 0.005


class Spent(NamedTuple):
    """What one command took."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure_commands(report: Report, place: str, folder: Path, name: str) -> None:
    """What reads the store: reports, training files, and what a prune would remove."""
    for command, arguments in _commands(place, folder):
        spent = run_command(*arguments)
        add_row(report, f"{name}: rstar {command}", spent)
        if command.startswith("report"):
            claim = f"{name}: rstar {command}"
            report.claim(claim, spent.seconds, "s", "<", REPORT_SECONDS)
        report.claim(f"{name}: memory of rstar {command}", spent.peak_mib, "MiB", "<", MOST_MIB)


def add_row(report: Report, what: str, spent: Spent) -> None:
    """One command as a row."""
    report.row(what=what, seconds=spent.seconds, cpu_s=spent.cpu_seconds, peak_mib=spent.peak_mib)


def run_command(*arguments: str) -> Spent:
    """`rstar ARGUMENTS` to its end; raises if it fails."""
    command = [sys.executable, "-m", "rstar_async.cli", *arguments]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        # What the kernel tells at the end has the memory of this process in it, which forked.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            with suppress(StopIteration):  # it has just ended
                peak = peak_mib(process.pid)
            time.sleep(POLL_SECONDS)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak)


def peak_mib(pid: int) -> float:
    """The most memory that a process has held so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _commands(place: str, folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """By name; exports are of the last closed round."""
    yield "report", ("report", place)
    yield "report --html", ("report", place, "--html", str(folder / "report.html"))
    for wanted in ("sft", "ppm"):
        out = str(folder / f"{wanted}.jsonl")
        arguments = ("export", place, out, "--as", wanted, "--round", "3", "--overwrite")
        yield f"export --as {wanted}", arguments
    yield "db prune", ("db", "prune", place)
