"""Warns when one step of a trio task blocked its whole loop.

All tasks of a process share one loop, so a step that computes for a second delays every beat by a
second. The warning names the task; its step may also have waited for the interpreter lock or for a
core.
"""

import logging
from collections.abc import Callable
from time import perf_counter

import trio

from rstar_async.telemetry.metrics import STALLS

log = logging.getLogger(__name__)

LIMIT_SECONDS = 0.1
PAUSE_SECONDS = 1.0  # between two lines in the log; the metric counts them all


class StallWatch(trio.abc.Instrument):
    """Pass it to `trio.run(..., instruments=[StallWatch(is_up)])`.

    Before `is_up()` stalls are counted but not logged: no peer waits for the loop yet, and the log
    of a process that refuses its input should say only that.
    """

    def __init__(self, is_up: Callable[[], bool]) -> None:
        self._is_up = is_up
        self._began = self._quiet_until = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = perf_counter()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        now = perf_counter()
        if now - self._began > LIMIT_SECONDS:
            self._report(task, now, now - self._began)

    def _report(self, task: trio.lowlevel.Task, now: float, seconds: float) -> None:
        STALLS.observe(seconds)
        if now >= self._quiet_until and self._is_up():
            self._quiet_until = now + PAUSE_SECONDS
            log.warning("loop stalled", extra={"seconds": round(seconds, 3), "task": task.name})
