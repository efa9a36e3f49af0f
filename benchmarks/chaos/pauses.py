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

    def __init__(self, seed: int) -> None:
        self.count = 0
        self.paused: int | None = None  # its process id
        self._random = Random(seed)

    async def run(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None:
        """One after another, until cancelled."""
        seconds = LEASES * recipe.workers.lease_seconds
        while True:
            await trio.sleep(self._random.expovariate(1 / BETWEEN_SECONDS))
            names = {name: pid for name, pid in running(specs).items() if is_one_of_several(name)}
            if names and is_searching(recipe):
                await self._pause(names[self._random.choice(sorted(names))], seconds)

    async def _pause(self, pid: int, seconds: float) -> None:
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGSTOP)
            self.count, self.paused = self.count + 1, pid
            await trio.sleep(seconds)
        finally:
            self.paused = None
            with suppress(ProcessLookupError):  # the run is over
                signal.pidfd_send_signal(process, signal.SIGCONT)
            os.close(process)


def is_one_of_several(name: str) -> bool:
    """Whether a process is a coordinator that shares its run."""
    return name.startswith("coordinator-")
