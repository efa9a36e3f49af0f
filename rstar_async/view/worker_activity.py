"""How busy the workers of a run were, from the lines that its coordinator appends.

Of a long run neighbouring lines are merged, so that what is kept is bounded.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rstar_async.coordinator.activity import FILE, ActivityLine, WorkerShare
from rstar_async.view.growing_file import GrowingFile

MAX_LINES = 4000
# Lines that lie further apart are not merged: the run was not going on between them.
GAP_SECONDS = 30.0


class WorkerActivity:
    """The lines of the run in `home`, as far as they have been read. Calls may come from several
    threads."""

    def __init__(self, home: Path) -> None:
        self._file = GrowingFile(home / FILE)
        self._lock = threading.Lock()
        self._lines: list[ActivityLine] = []

    def lines(self) -> list[ActivityLine]:
        """In the order of time; none for a run of an older version."""
        with self._lock:
            for raw in self._file.new_lines(self._start_again):
                if line := _readable(raw):
                    self._lines.append(line)
                if len(self._lines) > 2 * MAX_LINES:
                    self._lines = thinned(self._lines)
            return list(self._lines)

    def _start_again(self) -> None:
        self._lines = []


def thinned(lines: Sequence[ActivityLine]) -> list[ActivityLine]:
    """About half as many, each of two neighbours. Pure."""
    kept: list[ActivityLine] = []
    rest = iter(lines)
    for line in rest:
        other = next(rest, None)
        if other is None:
            kept.append(line)
        elif other.at - other.seconds - line.at > GAP_SECONDS:
            kept += [line, other]
        else:
            kept.append(merged(line, other))
    return kept


def merged(one: ActivityLine, other: ActivityLine) -> ActivityLine:
    """One line of both: means by their seconds; a worker that one lacks did nothing then. Pure."""
    seconds = one.seconds + other.seconds
    busy: dict[tuple[str, str], float] = {}
    for line in (one, other):
        for worker in line.workers:
            key = worker.pool, worker.name
            busy[key] = busy.get(key, 0.0) + worker.busy * line.seconds / seconds
    committing = (one.committing * one.seconds + other.committing * other.seconds) / seconds
    shares = [WorkerShare(*key, share) for key, share in sorted(busy.items())]
    return ActivityLine(other.at, seconds, committing, shares)


def _readable(line: bytes) -> ActivityLine | None:
    try:
        found = msgspec.json.decode(line, type=ActivityLine)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    return found if found.seconds > 0 else None
