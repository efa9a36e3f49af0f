"""What a worker does with its jobs, seen from the client's end: real sockets, one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from brokers.broker import Broker
from brokers.state import BrokerConfig
from rstar_async.errors import BadInput, JobFailed
from rstar_async.wire.messages import job_id
from rstar_async.wire.pool import PoolClient, open_pool
from workers.worker import EngineDead, Job, Retryable, serve

TIMEOUT_SECONDS = 20.0


class Site:
    """A broker and a client; workers are added by the test."""

    def __init__(self, nursery: trio.Nursery, workers: str, pool: PoolClient) -> None:
        self.nursery, self.workers, self.pool = nursery, workers, pool

    def start_worker(self, handle, capacity=4, name="worker", **options) -> trio.Event:
        """Start a worker; return the event that drains it."""
        drain = trio.Event()

        async def work() -> None:
            await serve(self.workers, name, capacity, handle, drain=drain, **options)

        self.nursery.start_soon(work)
        return drain

    async def until(self, holds) -> None:
        """Wait until `holds` is true of the broker's status."""
        while not holds(await self.pool.status()):  # noqa: ASYNC110  the broker sets no event
            await trio.sleep(0.02)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
    with trio.fail_after(TIMEOUT_SECONDS):
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


async def test_a_job_is_handled_and_its_reply_names_worker_and_attempt(tmp_path):
    async with site(tmp_path) as pool:
        pool.start_worker(reverse)
        answer = await pool.pool.ask(job_id("a"), b"abc")
        assert (answer.body, answer.worker, answer.attempt) == (b"cba", "worker", 1)
        assert answer.seconds >= 0


async def test_a_handler_gets_everything_about_its_job(tmp_path):
    seen = []

    async def look(job: Job) -> bytes:
        seen.append(job)
        return b""

    async with site(tmp_path) as pool:
        pool.start_worker(look)
        await pool.pool.ask(job_id("a"), b"abc", group="tree", deadline=9.0)
        assert seen == [Job(job_id("a"), 1, "tree", "tree", 9.0, b"abc")]


async def test_a_worker_handles_as_many_jobs_at_once_as_its_capacity(tmp_path):
    most = now = 0

    async def count(job: Job) -> bytes:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await trio.sleep(0.01)
        now -= 1
        return b""

    async with site(tmp_path) as pool:
        pool.start_worker(count, capacity=5)
        async with trio.open_nursery() as asks:
            for number in range(40):
                asks.start_soon(pool.pool.ask, job_id(number), b"")
        assert most == 5


async def test_a_retryable_error_is_tried_again(tmp_path):
    async def busy_once(job: Job) -> bytes:
        if job.attempt == 1:
            raise Retryable("busy")
        return b"done"

    async with site(tmp_path) as pool:
        pool.start_worker(busy_once)
        answer = await pool.pool.ask(job_id("a"), b"")
        assert (answer.body, answer.attempt) == (b"done", 2)


async def test_any_other_error_fails_the_job_and_not_the_worker(tmp_path, caplog):
    async def fail(job: Job) -> bytes:
        if job.body == b"bad":
            async with trio.open_nursery():
                raise ValueError("no such \udce9 thing")
        return b"fine"

    async with site(tmp_path) as pool:
        pool.start_worker(fail)
        with pytest.raises(JobFailed) as failed:
            await pool.pool.ask(job_id("a"), b"bad")
        assert failed.value.kind == "error"
        assert failed.value.detail.startswith("ValueError: no such")
        assert (await pool.pool.ask(job_id("b"), b"good")).body == b"fine"
    assert "ValueError" in caplog.text


async def test_a_job_is_stopped_at_its_deadline(tmp_path):
    async def wait(job: Job) -> bytes:
        await trio.sleep_forever()

    async with site(tmp_path) as pool:
        pool.start_worker(wait)
        with pytest.raises(JobFailed) as failed:
            await pool.pool.ask(job_id("a"), b"", deadline=0.2)
        assert failed.value.kind == "expired"


async def test_a_handler_is_cancelled_when_its_result_is_not_wanted_any_more(tmp_path):
    cancelled = trio.Event()

    async def wait(job: Job) -> bytes:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()
        return b""

    async with site(tmp_path) as pool:
        pool.start_worker(wait, capacity=1)
        async with trio.open_nursery() as asks:
            asks.start_soon(pool.pool.ask, job_id("a"), b"")
            await pool.until(lambda status: status.leased == 1)
            asks.cancel_scope.cancel()
        await cancelled.wait()
        await pool.until(lambda status: status.workers[0].running == 0)


async def test_a_job_that_fails_while_it_is_stopped_fails_alone(tmp_path):
    async def fail_when_stopped(job: Job) -> bytes:
        async def fail() -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("cannot clean up")

        if job.body == b"good":
            return job.body
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()
        return b""

    async with site(tmp_path) as pool:
        pool.start_worker(fail_when_stopped, capacity=1)
        with pytest.raises(JobFailed, match="cannot clean up"):
            await pool.pool.ask(job_id("a"), b"bad", deadline=0.2)
        assert (await pool.pool.ask(job_id("b"), b"good")).body == b"good"


async def test_the_handler_is_told_the_end_of_a_group(tmp_path):
    ended = {"tree": trio.Event()}

    async def note(group: str) -> None:
        ended[group].set()

    async with site(tmp_path) as pool:
        pool.start_worker(reverse, on_group_end=note)
        await pool.pool.ask(job_id("a"), b"", group="tree")
        pool.pool.cancel_group("tree")
        await ended["tree"].wait()


async def test_a_draining_worker_finishes_its_jobs_and_takes_no_new_ones(tmp_path):
    go_on = trio.Event()

    async def wait(job: Job) -> bytes:
        await go_on.wait()
        return b"first"

    async with site(tmp_path) as pool:
        drain = pool.start_worker(wait, name="first")
        answers = {}

        async def ask(name: str) -> None:
            answers[name] = (await pool.pool.ask(job_id(name), b"")).worker

        async with trio.open_nursery() as asks:
            asks.start_soon(ask, "a")
            await pool.until(lambda status: status.leased == 1)
            drain.set()
            await pool.until(lambda status: status.workers[0].capacity == 0)
            asks.start_soon(ask, "b")
            await pool.until(lambda status: status.queued == 1)
            go_on.set()
            await pool.until(lambda status: not status.workers)
            pool.start_worker(reverse, name="second")
        assert answers == {"a": "first", "b": "second"}


async def test_a_job_stopped_by_a_drain_is_done_by_another_worker_without_blame(
    tmp_path,
):
    async def for_ever(job: Job) -> bytes:
        await trio.sleep_forever()
        raise AssertionError

    async with site(tmp_path) as pool:
        drain = pool.start_worker(for_ever, name="first", drain_seconds=0.1)
        async with trio.open_nursery() as asks:
            asks.start_soon(pool.pool.ask, job_id("a"), b"")
            await pool.until(lambda status: status.leased == 1)
            drain.set()
            await pool.until(lambda status: not status.workers)
            pool.start_worker(reverse, name="second")
        counters = (await pool.pool.status()).counters
    assert (counters.finished, counters.redelivered, counters.deaths) == (1, 1, 0)


@pytest.mark.parametrize("kind", [EngineDead, BadInput])
async def test_a_worker_that_cannot_go_on_sends_no_reply_and_ends(tmp_path, kind):
    async def die(job: Job) -> bytes:
        raise kind("out of memory")

    async with site(tmp_path) as pool:
        async with trio.open_nursery() as asks:
            asks.start_soon(pool.pool.ask, job_id("a"), b"")
            with pytest.raises(kind, match="out of memory"):
                await serve(pool.workers, "dying", 1, die, drain=trio.Event())
            pool.start_worker(reverse, name="healthy")
        assert (await pool.pool.status()).counters.deaths == 1


async def test_a_reply_that_could_not_be_sent_is_sent_when_the_broker_is_back(tmp_path):
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

    with trio.fail_after(TIMEOUT_SECONDS):
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
