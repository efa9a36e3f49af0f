"""PostgreSQL goes away and comes back: whoever commits or reads waits and then goes on."""

import psycopg
import pytest
import trio

from rstar_async.errors import BadInput
from storage import queries
from storage.records import Problem
from storage.store import open_store
from tests.storage.examples import RUN
from tests.storage.postgres_server import own_server


@pytest.fixture(scope="module")
def server():
    with own_server() as running:
        yield running


async def test_a_server_that_restarts_is_waited_for(server, caplog):
    acknowledged: list[str] = []
    enough = trio.Event()

    async def commit_on_and_on(store):
        while not enough.is_set():
            name = str(len(acknowledged))
            await store.commit(Problem(name, "trial", "q", "a"))
            acknowledged.append(name)

    async def read(store, seen):
        seen.append(await store.read(queries.run_by_id, "trial"))

    seen: list[object] = []
    async with open_store(server.url) as store:
        await store.commit(RUN)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(commit_on_and_on, store)
            await trio.sleep(0.1)
            await trio.to_thread.run_sync(server.stop)
            while not store.statistics().waiting_for:  # noqa: ASYNC110
                await trio.sleep(0.01)
            before = len(acknowledged)
            nursery.start_soon(read, store, seen)
            await trio.sleep(0.2)
            assert len(acknowledged) == before
            assert seen == []
            await trio.to_thread.run_sync(server.start)
            while not seen or len(acknowledged) == before:  # noqa: ASYNC110
                await trio.sleep(0.01)
            enough.set()
        assert seen == [RUN]
        stored = await store.read(queries.problems_of, "trial")
        assert sorted(problem.id for problem in stored) == sorted(acknowledged)
    assert before > 0
    assert "store waits" in caplog.text
    assert "goes on" in caplog.text


async def test_a_connection_cut_by_the_server_is_made_anew(server):
    async with open_store(server.url) as store:
        await store.commit(RUN)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND backend_type = 'client backend'"
            )
        await store.commit(Problem("after", "trial", "q", "a"))
        assert await store.read(queries.problem_by_id, "after")


async def test_a_server_that_is_not_there_is_named_at_the_start(server):
    server.stop()
    with pytest.raises(BadInput, match=f"cannot open the store .*{server.port}") as raised:
        async with open_store(server.url):
            pass
    assert "\n" not in str(raised.value)
    server.start()
