"""What a running round looks like to the person who waits for it: bars, or lines in a log."""

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from rstar_async.config import Recipe
from rstar_async.telemetry import heartbeat
from storage import queries
from storage.records import Round
from storage.store import Store

POLL_SECONDS = 0.5
LINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One bar: `done` of `total`, with a note beside it."""

    title: str
    done: int
    total: int
    note: str = ""


async def show_progress(recipe: Recipe, store: Store) -> None:
    """Show where the run stands until cancelled; polls the database, so it can never mislead."""
    console = Console()
    display = BarDisplay(console) if console.is_terminal else LineDisplay(console)
    with display:
        while True:
            for stage in await current_stages(recipe, store):
                display.show(stage)
            heartbeat.beat()
            await trio.sleep(POLL_SECONDS)


async def current_stages(recipe: Recipe, store: Store) -> list[Stage]:
    """The bars of the first round that is not closed."""
    round_ = await store.read(queries.open_round, recipe.name)
    if round_ is None:
        return []
    stages = [await _searching(recipe, store, round_)] if round_.number else []
    if round_.status == "searched":
        stages.append(await trio.to_thread.run_sync(_training, recipe, round_.number))
    if round_.status == "trained":
        stages.append(await _evaluating(recipe, store, round_))
    return stages


async def _searching(recipe: Recipe, store: Store, round_: Round) -> Stage:
    counts = await store.read(queries.progress, recipe.name, round_.number, "train")
    note = f"{counts.solved} solved · {counts.nodes:,} nodes · {counts.new_tokens:,} tokens"
    done = counts.finished + counts.failed
    return Stage(f"round {round_.number} · search", done, counts.searches, note)


async def _evaluating(recipe: Recipe, store: Store, round_: Round) -> Stage:
    counts = await store.read(queries.progress, recipe.name, round_.number, "evaluation")
    title = f"round {round_.number} · evaluate"
    if not counts.searches:
        return Stage(title, 0, 0, "policy alone")
    return Stage(title, counts.finished + counts.failed, counts.searches, "tree search")


def _training(recipe: Recipe, number: int) -> Stage:
    title = f"round {number} · train"
    line = _last_line(recipe.home_folder / "training" / "progress.jsonl")
    if not line:
        return Stage(title, 0, 0)
    state = msgspec.json.decode(line, type=_TrainingStep)
    loss = "" if state.loss is None else f" · loss {state.loss:.3f}"
    return Stage(title, state.step, state.total, f"{state.phase}{loss}")


class _TrainingStep(msgspec.Struct):
    phase: str
    step: int
    total: int
    loss: float | None = None


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""


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
