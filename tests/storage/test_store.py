import functools
import sqlite3

import pytest
import sqlalchemy as sa
import trio
import trio.testing

from rstar_async.errors import BadInput
from storage import queries
from storage.database import open_database
from storage.errors import BadRecord, Unavailable
from storage.records import (
    NodeStatistics,
    Problem,
    RoundProgress,
    Run,
    Search,
    SearchProgress,
)
from storage.store import RECORDS_PER_TRANSACTION, WAITING_COMMITS, open_store
from storage.tables import problems
from tests.storage.examples import BASICS, PROBLEM, ROUND, RUN, SEARCH, node, tree


async def test_what_was_committed_is_read_back(url):
    async with open_store(url) as store:
        await store.commit(*BASICS, *tree())
        assert await store.read(queries.run_by_id, "trial") == RUN
        assert await store.read(queries.problems_of, "trial") == [PROBLEM]
        assert await store.read(queries.rounds_of, "trial") == [ROUND]
        assert await store.read(queries.searches_of, "trial", 1) == [SEARCH]
        assert [*await store.read(queries.nodes_of, "s1")] == tree()[:6]
        assert [*await store.read(queries.expansions_of, "s1")] == tree()[6:]


async def test_records_of_one_commit_need_no_order(url):
    async with open_store(url) as store:
        await store.commit(NodeStatistics("s1", "0", 3, 1.5), *reversed(tree()), *reversed(BASICS))
        root = await store.read(queries.node_by_path, "s1", "0")
    assert (root.visits, root.value_sum) == (3, 1.5)


async def test_a_replay_changes_nothing(url):
    progress = SearchProgress("s1", "running", 1, 2, "0.1", None, "", 1001.0, None, 0.5)
    growth = [*tree(), NodeStatistics("s1", "0", 1, 1.0), progress]
    async with open_store(url) as store:
        await store.commit(*BASICS)
        await store.commit(*growth)
        before = await store.read(everything)
        await store.commit(*BASICS)
        await store.commit(*growth)
        assert await store.read(everything) == before
    assert before[0].cursor == "0.1"


def everything(connection):
    search = queries.search_by_id(connection, "s1")
    return search, queries.nodes_of(connection, "s1"), queries.expansions_of(connection, "s1")


async def test_round_progress_keeps_the_times_it_does_not_name(url):
    async with open_store(url) as store:
        await store.commit(*BASICS, RoundProgress("trial", 1, "searched", searched_at=5.0))
        await store.commit(RoundProgress("trial", 1, "trained", trained_at=6.0))
        found = await store.read(queries.round_by_number, "trial", 1)
    assert (found.status, found.searched_at, found.trained_at, found.closed_at) == (
        "trained",
        5.0,
        6.0,
        None,
    )


BAD = {
    "unknown parent": Search("bad", "nobody", 1, "p1", "train", 1, "policy-0"),
    "missing value": Search("bad", "trial", 1, "p1", "train", 1, None),
    "unknown word": Search("bad", "trial", 1, "p1", "fun", 1, "policy-0"),
    "wrong type": Search("bad", "trial", 1, "p1", "train", "many", "policy-0"),
    "too large": Search("bad", "trial", 1, "p1", "train", 2**70, "policy-0"),
    "no bool": Search("bad", "trial", 1, "p1", "train", 1, "policy-0", solved="yes"),
    "not JSON": Run("bad", {"x": object()}, 1, ""),
    "progress of nothing": SearchProgress("bad", "running", 1, 1),
    "no record": "hello",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_a_bad_record_fails_its_own_commit_only(url, bad):
    refused = []

    async def commit_bad(store):
        try:
            await store.commit(Problem("with-bad", "trial", "q", "a"), bad)
        except BadRecord as error:
            refused.append(str(error))

    async with open_store(url) as store:
        await store.commit(*BASICS)
        async with trio.open_nursery() as nursery:
            for i in range(10):
                nursery.start_soon(store.commit, Problem(f"good-{i}", "trial", "q", "a"))
                if i == 5:
                    nursery.start_soon(commit_bad, store)
        stored = {problem.id for problem in await store.read(queries.problems_of, "trial")}
    assert stored == {"p1", *(f"good-{i}" for i in range(10))}
    assert len(refused) == 1
    assert type(bad).__name__ in refused[0]
    assert "\n" not in refused[0]


async def test_many_committers_share_transactions(url):
    async with open_store(url) as store:
        await store.commit(RUN)
        async with trio.open_nursery() as nursery:
            for i in range(500):
                nursery.start_soon(store.commit, Problem(f"{i}", "trial", "q", "a"))
        seen = store.statistics()
        assert len(await store.read(queries.problems_of, "trial")) == 500
    assert (seen.commits, seen.records, seen.queued, seen.waiting_for) == (501, 501, 0, "")
    assert seen.transactions < 20


async def test_a_commit_larger_than_a_batch_is_one_transaction(url):
    many = [Problem(f"{i}", "trial", "q", "a") for i in range(3 * RECORDS_PER_TRANSACTION)]
    async with open_store(url) as store:
        await store.commit(RUN)
        with pytest.raises(BadRecord):
            await store.commit(*many, Problem("bad", "nobody", "q", "a"))
        assert await store.read(queries.problems_of, "trial") == []
        await store.commit(*many)
        assert len(await store.read(queries.problems_of, "trial")) == len(many)


async def test_a_cancelled_commit_happened_or_not_but_never_half(url):
    acknowledged = set()

    async def commit_pair(store, i, scope):
        pair = [Problem(f"{i}-{half}", "trial", "q", "a") for half in "ab"]
        await store.commit(*pair)
        acknowledged.add(str(i))
        if len(acknowledged) == 150:  # within the second transaction of 128 commits
            scope.cancel()

    async with open_store(url) as store:
        await store.commit(RUN)
        async with trio.open_nursery() as nursery:
            for i in range(1500):
                nursery.start_soon(commit_pair, store, i, nursery.cancel_scope)
    with open_database(url) as database:
        stored = {problem.id for problem in database.read(queries.problems_of, "trial")}
    happened = {name[:-2] for name in stored}
    assert stored == {f"{i}-{half}" for i in happened for half in "ab"}
    assert acknowledged <= happened
    assert 150 <= len(acknowledged) < 1500


async def test_leaving_waits_for_commits_under_way(url):
    async with trio.open_nursery() as nursery, open_store(url) as store:
        await store.commit(RUN)
        for i in range(300):
            nursery.start_soon(store.commit, Problem(f"{i}", "trial", "q", "a"))
        await trio.testing.wait_all_tasks_blocked()
    with open_database(url) as database:
        assert len(database.read(queries.problems_of, "trial")) == 300


async def test_an_error_in_the_block_comes_out_as_it_is(url):
    with pytest.raises(BadInput, match="mine"):
        async with open_store(url):
            raise BadInput("mine")


async def test_an_error_does_not_wait_for_a_store_that_is_away(tmp_path):
    path = tmp_path / "store.db"
    ends = []

    async def commit(store):
        try:
            await store.commit(RUN)
        except Unavailable as error:
            ends.append(str(error))

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            with pytest.raises(BadInput, match="mine"):  # noqa: PT012
                async with open_store(str(path)) as store:
                    path.unlink()
                    nursery.start_soon(commit, store)
                    nursery.start_soon(commit, store)
                    await trio.sleep(0.1)
                    raise BadInput("mine")
    assert len(ends) == 2
    assert "closed before" in ends[0]


async def test_the_intake_is_bounded_and_nothing_is_acknowledged_under_a_lock(url):
    done = []

    async def commit_one(store, i):
        await store.commit(Problem(f"{i}", "trial", "q", "a"))
        done.append(i)

    count = WAITING_COMMITS + 400
    async with open_store(url) as store:
        await store.commit(RUN)
        async with trio.open_nursery() as nursery:
            with is_locked(url):
                nursery.start_soon(commit_one, store, -1)
                await trio.sleep(0.1)
                for i in range(count):
                    nursery.start_soon(commit_one, store, i)
                await trio.sleep(0.2)
                assert store.statistics().queued == WAITING_COMMITS
                assert done == []
    assert len(done) == count + 1


class is_locked:
    """Nobody else can write to the problems."""

    def __init__(self, url):
        self.engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))

    def __enter__(self):
        self.connection = self.engine.connect()
        if self.engine.dialect.name == "sqlite":
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self.connection.exec_driver_sql("LOCK TABLE problems")

    def __exit__(self, *_):
        self.connection.close()
        self.engine.dispose()


async def test_a_lock_held_for_long_is_waited_for_and_told(url, caplog):
    if url.startswith("postgresql"):
        pytest.skip("PostgreSQL waits for locks by itself")
    async with open_store(url) as store:
        async with trio.open_nursery() as nursery:
            with is_locked(url):
                nursery.start_soon(store.commit, RUN)
                while not store.statistics().waiting_for:  # noqa: ASYNC110
                    await trio.sleep(0.05)
        assert store.statistics().waiting_for == ""
        assert await store.read(queries.run_by_id, "trial") == RUN
    told = [record.getMessage() for record in caplog.records if record.name == "rstar.storage"]
    assert "another process holds the lock" in told[0]
    assert "store.db" in told[0]
    assert "goes on" in told[-1]


async def test_a_read_sees_one_moment(url):
    both_counted, go_on = trio.Event(), trio.Event()

    def count_twice(connection):
        count = functools.partial(
            connection.scalar, sa.select(sa.func.count()).select_from(problems)
        )
        first = count()
        trio.from_thread.run_sync(both_counted.set)
        trio.from_thread.run(go_on.wait)
        return first, count()

    async def read(store):
        seen.extend(await store.read(count_twice))

    seen: list[int] = []
    async with open_store(url) as store:
        await store.commit(RUN)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, store)
            await both_counted.wait()
            await store.commit(PROBLEM)
            go_on.set()
    assert seen == [0, 0]


async def test_a_read_cannot_write(url):
    async with open_store(url) as store:
        await store.commit(RUN)
        with pytest.raises(sa.exc.DBAPIError):
            await store.read(lambda connection: connection.execute(sa.delete(problems)))


def test_the_trainer_writes_without_trio(url):
    with open_database(url) as database:
        database.commit(*BASICS)
        database.commit(node("0", "root", expansion=0))
        with pytest.raises(BadRecord, match="NodeStatistics"):
            database.commit(NodeStatistics("s1", "0.9", 1, 1.0))
        assert database.read(queries.nodes_of, "s1") == [node("0", "root", expansion=0)]


async def test_a_store_whose_file_is_gone_waits_for_it(tmp_path):
    path = tmp_path / "store.db"
    async with open_store(str(path)) as store:
        await store.commit(RUN)
        path.rename(tmp_path / "away.db")
        with trio.move_on_after(0.3):
            await store.commit(PROBLEM)
        assert "moved" in store.statistics().waiting_for
        (tmp_path / "away.db").rename(path)
        await store.commit(PROBLEM)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM problems").fetchone() == (1,)
    connection.close()
