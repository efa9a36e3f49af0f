"""Stops coordinators for longer than their lease, so that others take over before they go on."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import trio

from benchmarks.chaos.running import is_searching, running
from rstar_async.config import Recipe
from rstar_async.launch.processes import ProcessSpec

BETWEEN_SECONDS = 2.0
LEASES = 2.0


class CoordinatorPauses:
    """SIGSTOP for one of several coordinators, and SIGCONT when its lease has long expired."""

    def __init__(self, lease_seconds: float, seed: int) -> None:
        self.paused = 0
        self._seconds = LEASES * lease_seconds
        self._random = Random(seed)

    async def run(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None:
        """One after another, until cancelled."""
        while True:
            await trio.sleep(self._random.expovariate(1 / BETWEEN_SECONDS))
            names = {name: pid for name, pid in running(specs).items() if is_one_of_several(name)}
            if names and is_searching(recipe):
                await self._pause(names[self._random.choice(sorted(names))])

    async def _pause(self, pid: int) -> None:
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGSTOP)
            self.paused += 1
            await trio.sleep(self._seconds)
        finally:
            with suppress(ProcessLookupError):  # killed meanwhile
                signal.pidfd_send_signal(process, signal.SIGCONT)
            os.close(process)


def is_one_of_several(name: str) -> bool:
    """Whether a process is a coordinator that shares its run."""
    return name.startswith("coordinator-")
