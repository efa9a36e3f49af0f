"""Progress for the person who waits: bars in a terminal, lines in a log."""

import time
from collections.abc import Mapping
from typing import TypeAlias

from rich.console import Console, Group
from rich.live import Live

from rstar_async.telemetry.stage_lines import plain_line, stage_lines
from rstar_async.telemetry.stage_times import Stage, StageTimes

# A log has a line at most so often, and at least so often while nothing moves.
LINE_SECONDS = 10.0
HEARTBEAT_SECONDS = 60.0

Display: TypeAlias = "BarDisplay | LineDisplay"


def display_on(console: Console) -> Display:
    """What suits the console; a context manager with `show`."""
    return BarDisplay(console) if console.is_terminal else LineDisplay(console)


class BarDisplay:
    """Bars in a terminal: those of stages under way at the bottom, ended ones printed above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stages: dict[str, tuple[Stage, StageTimes]] = {}
        self._printed: set[str] = set()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> "BarDisplay":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, stage: Stage) -> None:
        """Draw or redraw the bar of a stage; for good if it has ended."""
        if stage.title in self._printed or _is_nothing(stage, self._stages):
            return
        now = time.monotonic()
        times = _times(self._stages, stage, now)
        self._stages[stage.title] = (stage, times)
        if stage.ended:
            del self._stages[stage.title]
            self._printed.add(stage.title)
            self._console.print(Group(*stage_lines(stage, times, now, self._console.width)))

    def _render(self) -> Group:
        now, width = time.monotonic(), self._console.width
        lines = [stage_lines(*of_stage, now, width) for of_stage in self._stages.values()]
        return Group(*(line for of_stage in lines for line in of_stage))


class LineDisplay:
    """One line per stage and a few seconds, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, float] = {}
        self._stages: dict[str, tuple[Stage, StageTimes]] = {}

    def __enter__(self) -> "LineDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, stage: Stage) -> None:
        """Print the stage if it is new, has ended, or some time has passed since its last line."""
        if _is_nothing(stage, self._stages):
            return
        now = time.monotonic()
        before = self._stages.get(stage.title)
        times = _times(self._stages, stage, now)
        self._stages[stage.title] = (stage, times)
        if before is not None and not _is_due(stage, before[0], now - self._shown[stage.title]):
            return
        self._shown[stage.title] = now
        self._console.print(plain_line(stage, times, now), highlight=False, soft_wrap=True)


def _is_nothing(stage: Stage, shown: Mapping[str, object]) -> bool:
    """Whether it ended without numbers before anybody saw it."""
    return stage.ended and not stage.total and stage.title not in shown


def _times(shown: dict[str, tuple[Stage, StageTimes]], stage: Stage, now: float) -> StageTimes:
    if stage.title not in shown:
        return StageTimes.of(stage, now)
    times = shown[stage.title][1]
    times.update(stage, now)
    return times


def _is_due(stage: Stage, before: Stage, seconds: float) -> bool:
    """Whether a stage that was printed `seconds` ago as `before` is to be printed again."""
    if before.ended:
        return False
    moved = (stage.done, stage.note) != (before.done, before.note)
    return stage.ended or seconds >= (LINE_SECONDS if moved else HEARTBEAT_SECONDS)
