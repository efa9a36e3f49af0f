"""How long a round took."""

import trio

from rstar_async.coordinator.round_timer import keep_time
from storage import queries
from storage.records import Round, Run
from storage.store import open_store

ROUND = Round("run", 1, "searching", "policy")


async def stored(store) -> Round:
    found = await store.read(queries.round_by_number, "run", 1)
    assert found is not None
    return found


async def test_the_times_of_all_processes_are_added_up_and_change_nothing_else(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        await store.commit(Run("run", {}, 1, "test"), ROUND)
        async with keep_time(store, await stored(store)):
            await trio.sleep(0.05)
        first = await stored(store)
        async with keep_time(store, first):
            await trio.sleep(0.05)
        second = await stored(store)
    assert first.seconds is not None
    assert second.seconds is not None
    assert first.seconds >= 0.05
    assert second.seconds >= first.seconds + 0.05
    assert (second.status, second.started_at) == ("searching", ROUND.started_at)
