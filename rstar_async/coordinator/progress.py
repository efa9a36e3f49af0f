"""How far the round under way is, as the store says."""

from pathlib import Path

import msgspec
import trio
from rich.console import Console

from rstar_async.config import Recipe
from rstar_async.telemetry import heartbeat
from rstar_async.telemetry.progress_display import Stage, display_on
from storage import queries
from storage.records import Round
from storage.store import Store

POLL_SECONDS = 0.5


async def show_progress(recipe: Recipe, store: Store) -> None:
    """Show where the run stands until cancelled, by polling the store."""
    with display_on(Console()) as display:
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
    state = _newest_step(recipe.home_folder / "training" / "progress.jsonl")
    if state is None:
        return Stage(title, 0, 0)
    loss = "" if state.loss is None else f" · loss {state.loss:.3f}"
    return Stage(title, state.step, state.total, f"{state.phase}{loss}")


class _TrainingStep(msgspec.Struct):
    phase: str
    step: int
    total: int
    loss: float | None = None


def _newest_step(path: Path) -> _TrainingStep | None:
    """The last whole line: the trainer may be writing one."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            return msgspec.json.decode(line, type=_TrainingStep)
        except (msgspec.MsgspecError, RecursionError):
            continue
    return None
