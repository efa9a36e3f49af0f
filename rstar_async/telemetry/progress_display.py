"""Progress for the person who waits: bars in a terminal, lines in a log."""

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

LINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One bar: `done` of `total`, with a note beside it."""

    title: str
    done: int
    total: int
    note: str = ""


def display_on(console: Console) -> "BarDisplay | LineDisplay":
    """What suits the console; a context manager with `show`."""
    return BarDisplay(console) if console.is_terminal else LineDisplay(console)


class BarDisplay:
    """Bars in a terminal, one per stage."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:22}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "BarDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, stage: Stage) -> None:
        """Draw or redraw the bar of a stage."""
        if stage.title not in self._tasks:
            self._tasks[stage.title] = self._progress.add_task(stage.title, note="")
        self._progress.update(
            self._tasks[stage.title],
            completed=stage.done,
            total=stage.total or None,
            note=stage.note,
        )


class LineDisplay:
    """One line per stage and a few seconds, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, tuple[float, Stage]] = {}

    def __enter__(self) -> "LineDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, stage: Stage) -> None:
        """Print the stage if it is new, has ended, or has moved and some time has passed."""
        now = time.monotonic()
        before = self._shown.get(stage.title)
        if before is not None:
            moved, ended = stage != before[1], stage.done == stage.total
            if not moved or (now - before[0] < LINE_SECONDS and not ended):
                return
        self._shown[stage.title] = (now, stage)
        self._console.print(
            f"{stage.title}  {stage.done}/{stage.total or '?'}  {stage.note}", highlight=False
        )
