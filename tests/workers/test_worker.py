"""What a worker does with its jobs, seen from the client's end: real sockets, one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from brokers.broker import Broker
from brokers.state import BrokerConfig
from rstar_async.errors import JobFailed
from rstar_async.wire.messages import job_id
from rstar_async.wire.pool import PoolClient, open_pool
from workers.worker import EngineDead, Job, Retryable, serve

PATIENCE = 20.0


class Site:
    """A broker and a client; stations are added by the test."""

    def __init__(self, nursery: trio.Nursery, workers: str, pool: PoolClient) -> None:
        self.nursery, self.workers, self.pool = nursery, workers, pool

    def station(self, handle, capacity=4, name="worker", **options) -> trio.Event:
        """Start a station; return the event that drains it."""
        drain = trio.Event()

        async def work() -> None:
            await serve(self.workers, name, capacity, handle, drain=drain, **options)

        self.nursery.start_soon(work)
        return drain

    async def until(self, holds) -> None:
        """Wait until the broker's status is as wished."""
        while not holds(await self.pool.status()):  # noqa: ASYNC110  the broker sets no event
            await trio.sleep(0.02)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            broker = Broker(
                "test", clients=clients, workers=workers, config=BrokerConfig(reconnect=0.5)
            )
            nursery.start_soon(broker.run)
            async with open_pool(clients, name="client") as pool:
                yield Site(nursery, workers, pool)
            nursery.cancel_scope.cancel()


async def reverse(job: Job) -> bytes:
    return job.body[::-1]


async def test_a_job_is_handled_and_its_answer_tells_how(tmp_path):
    async with site(tmp_path) as here:
        here.station(reverse)
        answer = await here.pool.ask(job_id("a"), b"abc")
        assert (answer.body, answer.worker, answer.attempt) == (b"cba", "worker", 1)
        assert answer.seconds >= 0


async def test_a_handler_is_told_all_about_its_job(tmp_path):
    seen = []

    async def look(job: Job) -> bytes:
        seen.append(job)
        return b""

    async with site(tmp_path) as here:
        here.station(look)
        await here.pool.ask(job_id("a"), b"abc", group="tree", deadline=9.0)
        assert seen == [Job(job_id("a"), 1, "tree", "tree", 9.0, b"abc")]


async def test_a_station_handles_as_many_jobs_at_once_as_it_declared(tmp_path):
    most = now = 0

    async def count(job: Job) -> bytes:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await trio.sleep(0.01)
        now -= 1
        return b""

    async with site(tmp_path) as here:
        here.station(count, capacity=5)
        async with trio.open_nursery() as asks:
            for number in range(40):
                asks.start_soon(here.pool.ask, job_id(number), b"")
        assert most == 5


async def test_a_retryable_error_is_tried_again(tmp_path):
    async def busy_once(job: Job) -> bytes:
        if job.attempt == 1:
            raise Retryable("busy")
        return b"done"

    async with site(tmp_path) as here:
        here.station(busy_once)
        answer = await here.pool.ask(job_id("a"), b"")
        assert (answer.body, answer.attempt) == (b"done", 2)


async def test_any_other_error_fails_the_job_and_spares_the_station(tmp_path, caplog):
    async def fail(job: Job) -> bytes:
        if job.body == b"bad":
            async with trio.open_nursery():
                raise ValueError("no such \udce9 thing")
        return b"fine"

    async with site(tmp_path) as here:
        here.station(fail)
        with pytest.raises(JobFailed) as failed:
            await here.pool.ask(job_id("a"), b"bad")
        assert failed.value.kind == "error"
        assert failed.value.detail.startswith("ValueError: no such")
        assert (await here.pool.ask(job_id("b"), b"good")).body == b"fine"
    assert "ValueError" in caplog.text


async def test_a_job_is_stopped_at_its_deadline(tmp_path):
    async def wait(job: Job) -> bytes:
        await trio.sleep_forever()

    async with site(tmp_path) as here:
        here.station(wait)
        with pytest.raises(JobFailed) as failed:
            await here.pool.ask(job_id("a"), b"", deadline=0.2)
        assert failed.value.kind == "expired"


async def test_a_handler_is_cancelled_when_nobody_waits_any_more(tmp_path):
    cancelled = trio.Event()

    async def wait(job: Job) -> bytes:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()
        return b""

    async with site(tmp_path) as here:
        here.station(wait, capacity=1)
        async with trio.open_nursery() as asks:
            asks.start_soon(here.pool.ask, job_id("a"), b"")
            await here.until(lambda status: status.leased == 1)
            asks.cancel_scope.cancel()
        await cancelled.wait()
        await here.until(lambda status: status.workers[0].running == 0)


async def test_the_end_of_a_group_is_told(tmp_path):
    ended = {"tree": trio.Event()}

    async def note(group: str) -> None:
        ended[group].set()

    async with site(tmp_path) as here:
        here.station(reverse, on_group_end=note)
        await here.pool.ask(job_id("a"), b"", group="tree")
        here.pool.cancel_group("tree")
        await ended["tree"].wait()


async def test_a_draining_station_finishes_what_runs_and_takes_nothing_new(tmp_path):
    go_on = trio.Event()

    async def wait(job: Job) -> bytes:
        await go_on.wait()
        return b"first"

    async with site(tmp_path) as here:
        drain = here.station(wait, name="first")
        answers = {}

        async def ask(name: str) -> None:
            answers[name] = (await here.pool.ask(job_id(name), b"")).worker

        async with trio.open_nursery() as asks:
            asks.start_soon(ask, "a")
            await here.until(lambda status: status.leased == 1)
            drain.set()
            await here.until(lambda status: status.workers[0].capacity == 0)
            asks.start_soon(ask, "b")
            await here.until(lambda status: status.queued == 1)
            go_on.set()
            await here.until(lambda status: not status.workers)
            here.station(reverse, name="second")
        assert answers == {"a": "first", "b": "second"}


async def test_what_a_drain_cannot_wait_for_is_done_by_another_and_nobody_is_to_blame(tmp_path):
    async def for_ever(job: Job) -> bytes:
        await trio.sleep_forever()
        raise AssertionError

    async with site(tmp_path) as here:
        drain = here.station(for_ever, name="first", drain_seconds=0.1)
        async with trio.open_nursery() as asks:
            asks.start_soon(here.pool.ask, job_id("a"), b"")
            await here.until(lambda status: status.leased == 1)
            drain.set()
            await here.until(lambda status: not status.workers)
            here.station(reverse, name="second")
        counters = (await here.pool.status()).counters
    assert (counters.finished, counters.redelivered, counters.deaths) == (1, 1, 0)


async def test_a_station_whose_engine_died_says_nothing_and_ends(tmp_path):
    async def die(job: Job) -> bytes:
        raise EngineDead("out of memory")

    async with site(tmp_path) as here:
        async with trio.open_nursery() as asks:
            asks.start_soon(here.pool.ask, job_id("a"), b"")
            with pytest.raises(EngineDead, match="out of memory"):
                await serve(here.workers, "dying", 1, die, drain=trio.Event())
            here.station(reverse, name="healthy")
        assert (await here.pool.status()).counters.deaths == 1


async def test_a_word_that_could_not_be_said_is_said_after_the_broker_is_back(tmp_path):
    started, go_on, answered, runs = trio.Event(), trio.Event(), trio.Event(), []

    async def wait(job: Job) -> bytes:
        runs.append(job.attempt)
        started.set()
        await go_on.wait()
        return b"kept"

    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"

    async def ask(pool: PoolClient) -> None:
        assert (await pool.ask(job_id("a"), b"")).body == b"kept"
        answered.set()

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery, open_pool(clients, name="client") as pool:
            drain = trio.Event()
            nursery.start_soon(lambda: serve(workers, "worker", 1, wait, drain=drain))
            nursery.start_soon(ask, pool)
            async with trio.open_nursery() as first_life:
                first_life.start_soon(Broker("t", clients=clients, workers=workers).run)
                await started.wait()
                first_life.cancel_scope.cancel()
            go_on.set()
            async with trio.open_nursery() as second_life:
                second_life.start_soon(Broker("t", clients=clients, workers=workers).run)
                await answered.wait()
                second_life.cancel_scope.cancel()
            drain.set()
    assert runs == [1]
