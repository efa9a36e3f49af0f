"""CPU time of this process and of everything that it has started, dead or alive."""

import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
_PID = os.getpid()


class Process(NamedTuple):
    """One line of the kernel's list: `reaped_seconds` is the CPU time of its dead children."""

    pid: int
    parent: int
    reaped_seconds: float


def tree_cpu_seconds(root: int | None = None) -> float:
    """Of `root`, by default this process, and its descendants.

    A process that dies moves its time to the one that reaps it, so nothing is lost between two
    readings as long as the reaper belongs to the tree. Reaped time of others is told in ticks.
    """
    children: defaultdict[int, list[Process]] = defaultdict(list)
    everything = {process.pid: process for process in _processes()}
    for process in everything.values():
        children[process.parent].append(process)
    waiting = [everything[root or os.getpid()]]
    total = 0.0
    while waiting:
        process = waiting.pop()
        total += _own_seconds(process.pid) + process.reaped_seconds
        waiting += children[process.pid]
    return total


def _processes() -> Iterable[Process]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
                pid, reaped = int(name), sum(map(int, fields[13:15])) / TICK
                yield Process(pid, int(fields[1]), _reaped_by_us() if pid == _PID else reaped)


def _reaped_by_us() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _own_seconds(pid: int) -> float:
    """Of all its threads, to the nanosecond; of another process, those that are alive."""
    if pid == _PID:
        return time.process_time()
    total = 0.0
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/schedstat") as times:
                total += int(times.read().split()[0]) / 1e9
    return total


@dataclass(eq=False)
class Meter:
    """What some jobs of one kind have cost: CPU in total, wall time of each."""

    jobs: int = 0
    cpu_seconds: float = 0.0
    walls: list[float] = field(default_factory=list)
    _started: float = 0.0
    _cpu_before: float = 0.0

    def __enter__(self) -> "Meter":
        self._cpu_before = tree_cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_seconds += tree_cpu_seconds() - self._cpu_before

    def begin(self) -> None:
        """A job begins."""
        self._started = time.perf_counter()

    def end(self) -> None:
        """The job has ended."""
        self.walls.append(time.perf_counter() - self._started)
        self.jobs += 1

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per job."""
        return 1000 * self.cpu_seconds / max(1, self.jobs)

    def wall_ms(self, percent: int) -> float:
        """The wall time that `percent` of the jobs stayed within."""
        walls = sorted(self.walls)
        return 1000 * walls[min(len(walls) - 1, len(walls) * percent // 100)]
