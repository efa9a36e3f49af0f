"""How long a round has taken: measured while a process works on it, and added up in the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from storage.records import Round, RoundProgress
from storage.store import Store

STORED_EVERY_SECONDS = 10.0


@asynccontextmanager
async def keep_time(store: Store, round_: Round) -> AsyncIterator[None]:
    """Add the time that the block takes to the seconds of the round: every few seconds, so that a
    process that is killed loses no more than these, and at the end."""
    before, began = round_.seconds or 0.0, trio.current_time()

    async def store_seconds() -> None:
        seconds = before + trio.current_time() - began
        await store.commit(RoundProgress(round_.run_id, round_.number, None, seconds=seconds))

    async def keep_storing() -> None:
        while True:
            await trio.sleep(STORED_EVERY_SECONDS)
            await store_seconds()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_storing)
        yield
        nursery.cancel_scope.cancel()
    await store_seconds()
