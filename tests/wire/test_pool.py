"""`PoolClient` against a real broker and a worker in this process."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing
import zmq

from brokers.broker import Broker
from brokers.state import BrokerConfig
from rstar_async.errors import BadInput, BrokerLost, JobFailed
from rstar_async.wire import payloads
from rstar_async.wire.codec import decode_to_client, frames_of
from rstar_async.wire.messages import PROTOCOL, ClientHello, Refused, job_id
from rstar_async.wire.pool import PoolClient, open_pool
from rstar_async.wire.replies import DoubtfulReply
from rstar_async.wire.sizes import BODY_BYTES
from rstar_async.wire.socket import open_broker, open_peer
from workers.worker import Job, serve

PATIENCE = 20.0
A = job_id("a")


async def echo(job: Job) -> bytes:
    return job.body


@asynccontextmanager
async def pool_of(
    folder: Path,
    handle: Callable[[Job], Awaitable[bytes]],
    capacity: int = 8,
    window: int = 64,
    config: BrokerConfig | None = None,
) -> AsyncIterator[PoolClient]:
    """A broker, one worker that handles jobs with `handle`, and their client."""
    clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            broker = Broker("test", clients=clients, workers=workers, config=config)
            nursery.start_soon(broker.run)
            nursery.start_soon(
                lambda: serve(workers, "worker", capacity, handle, drain=trio.Event())
            )
            async with open_pool(clients, name="client", window=window) as pool:
                yield pool
            nursery.cancel_scope.cancel()


async def test_two_asks_of_one_job_share_one_run(tmp_path):
    runs = []

    async def handle(job: Job) -> bytes:
        runs.append(job.id)
        await trio.sleep(0.05)
        return b"answer"

    async with pool_of(tmp_path, handle) as pool, trio.open_nursery() as asks:
        for _ in range(5):
            asks.start_soon(pool.ask, A, b"")
    assert runs == [A]


async def test_cancelling_one_of_two_asks_of_a_job_leaves_the_other(tmp_path):
    go_on = trio.Event()
    answers = []

    async def handle(job: Job) -> bytes:
        await go_on.wait()
        return b"answer"

    async def ask(pool: PoolClient) -> None:
        answers.append((await pool.ask(A, b"")).body)

    async with pool_of(tmp_path, handle) as pool, trio.open_nursery() as asks:
        async with trio.open_nursery() as cancelled:
            cancelled.start_soon(ask, pool)
            await trio.testing.wait_all_tasks_blocked()
            asks.start_soon(ask, pool)
            await trio.testing.wait_all_tasks_blocked()
            cancelled.cancel_scope.cancel()
        go_on.set()
    assert answers == [b"answer"]


@pytest.mark.parametrize(("own", "granted"), [(3, 64), (64, 3)])
async def test_the_window_bounds_what_is_with_the_broker(tmp_path, own, granted):
    """The smaller of the client's window and the broker's."""
    go_on = trio.Event()

    async def handle(job: Job) -> bytes:
        await go_on.wait()
        return b""

    config = BrokerConfig(window=granted)
    async with pool_of(tmp_path, handle, capacity=1, window=own, config=config) as pool:
        await pool.status()
        async with trio.open_nursery() as asks:
            for number in range(20):
                asks.start_soon(pool.ask, job_id(number), b"")
            await trio.testing.wait_all_tasks_blocked()
            status = await pool.status()
            assert status.queued + status.leased == pool.statistics.waiting == 3
            go_on.set()
        assert (await pool.status()).counters.finished == 20


async def test_a_cancelled_group_ends_its_asks_here_and_at_the_broker(tmp_path):
    failures = []

    async def handle(job: Job) -> bytes:
        await trio.sleep_forever()
        return b""

    async def ask(pool: PoolClient, job: bytes, group: str) -> None:
        try:
            await pool.ask(job, b"", group=group)
        except JobFailed as failed:
            failures.append((group, failed.kind))

    async with pool_of(tmp_path, handle) as pool, trio.open_nursery() as asks:
        asks.start_soon(ask, pool, job_id("a"), "tree")
        asks.start_soon(ask, pool, job_id("b"), "tree")
        asks.start_soon(ask, pool, job_id("c"), "other")
        await trio.testing.wait_all_tasks_blocked()
        pool.cancel_group("tree")
        await trio.testing.wait_all_tasks_blocked()
        status = await pool.status()
        assert status.leased + status.queued == 1
        asks.cancel_scope.cancel()
    assert failures == [("tree", "cancelled")] * 2


async def test_a_request_carries_structs_both_ways(tmp_path):
    async def handle(job: Job) -> bytes:
        score = msgspec.msgpack.decode(job.body, type=payloads.Score)
        values = [float(len(step)) for step in score.steps]
        return msgspec.msgpack.encode(payloads.Scored(score.model, values, 3, 0, 0.1))

    async with pool_of(tmp_path, handle) as pool:
        scored = await pool.request(
            payloads.Score("ppm", [1, 2, 3], [[4], [5, 6]]), reply=payloads.Scored, job=A
        )
    assert scored.values == [1.0, 2.0]


async def test_a_job_whose_results_are_all_refused_fails_and_says_why(tmp_path):
    async def handle(job: Job) -> bytes:
        return b"nonsense"

    config = BrokerConfig(rejections=2)
    async with pool_of(tmp_path, handle, config=config) as pool:
        with pytest.raises(JobFailed, match=r"2 results were refused.* of worker: no Scored"):
            await pool.request(payloads.Score("ppm", [], []), reply=payloads.Scored, job=A)
        assert pool.statistics.refused == 2
        assert (await pool.status()).counters.rejected == 2


async def test_a_result_that_is_refused_is_done_again_by_another_worker(tmp_path):
    """The second worker joins late, so that the first one gets every job first."""

    async def wrong(job: Job) -> bytes:
        return b"nonsense"

    async def right(job: Job) -> bytes:
        return msgspec.msgpack.encode(payloads.Scored("ppm", [1.0], 1, 0, 0.1))

    request = payloads.Score("ppm", [1], [[2]])
    async with pool_of(tmp_path, wrong) as pool, trio.open_nursery() as nursery:
        replies = []

        async def ask(number: int) -> None:
            reply = await pool.request(request, reply=payloads.Scored, job=job_id(number))
            replies.append(reply.values)

        for number in range(4):
            nursery.start_soon(ask, number)
        while (await pool.status()).counters.quarantines == 0:  # noqa: ASYNC110
            await trio.sleep(0.01)
        serving = partial(serve, f"ipc://{tmp_path}/w", "honest", 8, right, drain=trio.Event())
        async with trio.open_nursery() as late:
            late.start_soon(serving)
            while len(replies) < 4:  # noqa: ASYNC110
                await trio.sleep(0.01)
            late.cancel_scope.cancel()
        wrong_one = {w.name: w for w in (await pool.status()).workers}["worker"]
        assert wrong_one.faults >= 3
        assert 0 < wrong_one.quarantine_seconds <= 60
    assert replies == [[1.0]] * 4


async def test_a_doubtful_result_is_believed_when_it_comes_again(tmp_path):
    runs = []

    async def handle(job: Job) -> bytes:
        runs.append(job.id)
        return msgspec.msgpack.encode(payloads.Scored("ppm", [math.nan], 1, 0, 0.1))

    def doubt(_: payloads.Scored) -> None:
        raise DoubtfulReply("no value")

    async with pool_of(tmp_path, handle) as pool:
        request = payloads.Score("ppm", [1], [[2]])
        scored = await pool.request(request, reply=payloads.Scored, job=A, check=doubt)
        (worker,) = (await pool.status()).workers
    assert math.isnan(scored.values[0])
    assert len(runs) == 2
    assert worker.faults == 0


async def test_an_answer_is_acknowledged_with_the_next_message(tmp_path):
    async with pool_of(tmp_path, echo) as pool:
        await pool.ask(A, b"")
        assert (await pool.status()).retained == 0


async def test_a_client_with_nothing_to_say_acknowledges_its_answers_too(tmp_path):
    async with pool_of(tmp_path, echo) as pool, open_pool(f"ipc://{tmp_path}/c", name="b") as other:
        await pool.ask(A, b"")
        while (status := await other.status()).retained:  # noqa: ASYNC110  the broker has no event
            await trio.sleep(0.05)
        assert status.counters.finished == 1
        assert not status.workers[0].running


async def test_jobs_that_take_long_are_accepted_and_not_submitted_again(tmp_path):
    release = trio.Event()

    async def handle(job: Job) -> bytes:
        await release.wait()
        return b""

    async with pool_of(tmp_path, handle) as pool, trio.open_nursery() as asks:
        for number in range(3):
            asks.start_soon(pool.ask, job_id(number), b"")
        await trio.testing.wait_all_tasks_blocked()
        assert pool._unaccepted
        while pool._unaccepted:  # noqa: ASYNC110  the client sets no event
            await trio.sleep(0.02)
        release.set()
    assert pool.statistics.resent == 0


async def test_the_same_job_can_be_asked_for_again_right_after_leaving(tmp_path):
    async def handle(job: Job) -> bytes:
        await trio.sleep(0.01)
        return b"answer"

    async with pool_of(tmp_path, handle, capacity=1) as pool:
        for pause in range(12):
            with trio.move_on_after(pause * 0.001):
                await pool.ask(A, b"")
        assert (await pool.ask(A, b"")).body == b"answer"


async def test_errors_of_the_block_are_not_wrapped(tmp_path):
    with pytest.raises(KeyError):
        async with open_pool(f"ipc://{tmp_path}/c", name="client"):
            raise KeyError("mine")


async def test_a_body_or_result_too_large_to_send_fails_its_job_only(tmp_path):
    async def handle(job: Job) -> bytes:
        return bytes(BODY_BYTES + (job.body == b"too much"))

    async with pool_of(tmp_path, handle) as pool:
        with pytest.raises(JobFailed, match="a body of"):
            await pool.ask(A, bytes(BODY_BYTES + 1))
        with pytest.raises(JobFailed, match="a result of"):
            await pool.ask(A, b"too much")
        assert len((await pool.ask(A, b"just right")).body) == BODY_BYTES


async def test_a_bad_endpoint_is_bad_input():
    with pytest.raises(BadInput, match="must be ipc"):
        async with open_pool("nonsense", name="client"):
            await trio.sleep_forever()


async def test_a_window_too_large_for_a_beat_is_bad_input():
    with pytest.raises(BadInput, match="window of 20000"):
        async with open_pool("ipc://c", name="client", window=20_000):
            await trio.sleep_forever()


async def test_an_ask_waits_for_a_broker_that_is_not_up_yet(tmp_path):
    async with open_pool(f"ipc://{tmp_path}/c", name="client") as pool:
        with trio.move_on_after(0.1) as scope:
            await pool.ask(A, b"")
        assert scope.cancelled_caught


async def test_a_refusal_ends_the_block_with_its_reason(tmp_path):
    endpoint = f"ipc://{tmp_path}/c"
    context: zmq.SyncContext = zmq.Context()
    broker = open_broker(context, endpoint, domain="clients", queue=10, keys=None)

    async def refuse() -> None:
        for frames, _ in await broker.receive():
            broker.send([frames[0], *frames_of((Refused("wrong protocol"), b""))])

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse)
            with pytest.raises(BrokerLost, match="wrong protocol"):
                async with open_pool(endpoint, name="client") as pool:
                    await pool.ask(A, b"")
    broker.close()
    context.term()


async def test_malformed_frames_are_counted_and_refused_once_while_others_are_served(tmp_path):
    async def handle(job: Job) -> bytes:
        return b"answer"

    async with pool_of(tmp_path, handle) as pool:
        hostile = open_peer(f"ipc://{tmp_path}/c", queue=1000, keys=None)
        for frames in ([b""], [b"\x91" * 100_000], [b"x", b"y", b"z"], [b"\xc1"] * 2) * 10:
            hostile.send(frames)
        hostile.send(frames_of((ClientHello(PROTOCOL, "hostile", b"session!"), b"")))
        envelopes = await hostile.receive()
        assert (await pool.ask(A, b"")).body == b"answer"
        assert (await pool.status()).counters.malformed == 40
        envelopes += hostile.receive_nowait()
        replies = [m for frames, _ in envelopes for m, _ in decode_to_client(frames)]
        assert sum(isinstance(reply, Refused) for reply in replies) == 1
        hostile.close()
