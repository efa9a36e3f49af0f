"""Shows in the terminal or in a log how far the run is."""

from contextlib import suppress

import trio
from rich.console import Console

from rstar_async.config import Recipe
from rstar_async.coordinator.stages import Measuring, stages_of
from rstar_async.telemetry import heartbeat
from rstar_async.telemetry.progress_display import Display, display_on
from storage import queries
from storage.records import Round
from storage.store import Store

POLL_SECONDS = 0.5


async def show_progress(
    recipe: Recipe, store: Store, measuring: Measuring, complete: trio.Event
) -> None:
    """Show the stages of round after round, by polling the store, until the run is complete."""
    with display_on(Console()) as display:
        followed = None
        while not complete.is_set():
            followed = await _follow(recipe, store, measuring, display, followed)
            heartbeat.beat()
            with suppress(trio.TooSlowError), trio.fail_after(POLL_SECONDS):
                await complete.wait()
        await _follow(recipe, store, measuring, display, followed)


async def _follow(
    recipe: Recipe, store: Store, measuring: Measuring, display: Display, followed: int | None
) -> int | None:
    """Show the round that was followed, to its end, and then the one that is open now."""
    open_ = await store.read(queries.open_round, recipe.name)
    shown: list[Round | None] = [open_]
    if followed is not None and (open_ is None or open_.number != followed):
        shown.insert(0, await store.read(queries.round_by_number, recipe.name, followed))
    for round_ in shown:
        if round_ is not None:
            for stage in await store.read(stages_of, recipe, round_, measuring):
                display.show(stage)
    return open_.number if open_ else None
