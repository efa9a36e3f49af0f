"""Asks brokers how they are: once, or again and again for a table that stays on the screen."""

from pathlib import Path

import trio
from rich.console import Console
from rich.live import Live

from rstar_async.commands.status_table import status_table
from rstar_async.wire.messages import Status
from rstar_async.wire.pool import PoolClient, open_pool

Answers = dict[str, Status | None]


async def ask_once(endpoints: list[str], keys: Path | None, seconds: float) -> Answers:
    """Each broker's status, None for those that did not answer in time."""
    answers: Answers = dict.fromkeys(endpoints)

    async def ask(endpoint: str) -> None:
        with trio.move_on_after(seconds):
            async with open_pool(endpoint, name="status", keys=keys) as pool:
                answers[endpoint] = await pool.status()

    async with trio.open_nursery() as nursery:
        for endpoint in endpoints:
            nursery.start_soon(ask, endpoint)
    return answers


async def show_live(
    endpoints: list[str], keys: Path | None, pause: float, console: Console | None = None
) -> None:
    """Show the newest answers, and the rates since the ones before, until cancelled."""
    now: Answers = dict.fromkeys(endpoints)

    async def follow(endpoint: str) -> None:
        async with open_pool(endpoint, name="status", keys=keys) as pool:
            while True:
                now[endpoint] = await _status(pool, pause)
                await trio.sleep(pause)

    with Live(console=console, auto_refresh=False) as live:
        async with trio.open_nursery() as nursery:
            for endpoint in endpoints:
                nursery.start_soon(follow, endpoint)
            while True:
                before = dict(now)
                await trio.sleep(pause)
                live.update(status_table(now, before), refresh=True)


async def _status(pool: PoolClient, seconds: float) -> Status | None:
    """None if the broker is away; the next question waits for it again."""
    with trio.move_on_after(seconds):
        return await pool.status()
    return None
