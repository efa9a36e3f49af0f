"""Linux process control: death with the parent, adoption of orphans, the list of children."""

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl


class ChildProcess(NamedTuple):
    """A process as its parent sees it."""

    pid: int
    session: int


def die_with(parent: int) -> Callable[[], None]:
    """Return what a child calls between fork and exec to be killed when the parent's *thread* ends.

    A child forked by a short-lived worker thread would die with that thread.
    """

    def before_exec() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return before_exec


def adopt_orphans(wanted: bool) -> None:
    """Become (or cease to be) the parent of descendants whose own parent has died."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def children(of: int) -> list[ChildProcess]:
    """All living and unreaped children of a process."""
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    found = [_child(folder, of) for folder in folders]
    return [child for child in found if child is not None]


def _child(folder: Path, of: int) -> ChildProcess | None:
    try:
        stat = (folder / "stat").read_text(errors="replace")
    except OSError:  # gone meanwhile
        return None
    # The name in parentheses may hold anything; after it: state, parent, group, session.
    _, parent, _, session = stat.rpartition(")")[2].split()[:4]
    return ChildProcess(int(folder.name), int(session)) if int(parent) == of else None
