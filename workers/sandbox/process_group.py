"""Finds processes by their process group, which confined processes cannot leave."""

import os
import signal
from contextlib import suppress


def group_of(pid: int) -> int:
    """The process group of `pid`; 0 if it is gone."""
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def members(group: int) -> set[int]:
    """Every live process of a group."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and _is_in(name, group)}


def _is_in(name: str, group: int) -> bool:
    try:
        with open(f"/proc/{name}/stat") as stat:
            state, _, process_group = stat.read().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(process_group) == group and state not in "ZX"


def kill(pid: int, group: int) -> None:
    """Kill `pid` if it still belongs to `group`."""
    with suppress(ProcessLookupError):
        pidfd = os.pidfd_open(pid)
        try:
            if group_of(pid) == group:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
