"""A connection, seen from the broker's end: what is sent, when, and how often."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import zmq

from rstar_async.wire.codec import (
    Message,
    decode_from_worker,
    decode_to_worker,
    frames_of,
)
from rstar_async.wire.connection import FULL, Connection, backoff
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    BrokerBeat,
    Done,
    Header,
    Stopped,
    Welcome,
    WhoAreYou,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
    job_id,
)
from rstar_async.wire.socket import Socket, open_broker, open_peer
from workers.worker import Job, serve

PATIENCE = 60.0
FIRST, SECOND = b"epoch..1", b"epoch..2"
A, B = job_id("a"), job_id("b")


class BrokerEnd:
    """The broker's end of a connection, driven by the test."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.envelopes: list[list[Header]] = []
        self._peer = b""

    async def receive(self, kind: type[Header]) -> Header:
        """The next message of this kind; earlier ones are skipped."""
        while True:
            ((peer, *frames), _), *more = await self._socket.receive(limit=1)
            assert not more
            self._peer = peer
            self.envelopes.append([message for message, _ in decode_from_worker(frames)])
            for message in self.envelopes[-1]:
                if isinstance(message, kind):
                    return message

    def send(self, *messages: Message) -> None:
        self._socket.send([self._peer, *frames_of(*messages)])


@pytest.fixture
async def broker(tmp_path):
    context: zmq.SyncContext = zmq.Context()
    socket = open_broker(context, f"ipc://{tmp_path}/w", domain="workers", queue=100, keys=None)
    yield BrokerEnd(socket)
    socket.close()
    context.destroy(linger=0)


class RecordingHandler:
    """Sends nothing of its own and records what it receives."""

    def __init__(self) -> None:
        self.received: list[Header] = []

    def hello(self) -> Header:
        return WorkerHello(PROTOCOL, "peer", b"session!", 1)

    def beat(self) -> Header:
        return WorkerBeat([], 1)

    def welcomed(self, welcome: Welcome) -> None:
        pass

    def heard(self, message: Header, body: bytes) -> None:
        self.received.append(message)


@asynccontextmanager
async def connected(
    endpoint: str, acknowledge: Callable[[], Header | None] = lambda: None
) -> AsyncIterator[tuple[Connection, RecordingHandler]]:
    handler = RecordingHandler()
    connection = Connection(
        endpoint,
        handler,
        lambda: open_peer(endpoint, queue=100, keys=None),
        decode_to_worker,
        acknowledge,
    )
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.run)
            yield connection, handler
            nursery.cancel_scope.cancel()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await trio.sleep(0.01)


async def test_messages_of_one_turn_travel_in_one_envelope_and_in_order(broker, tmp_path):
    async with connected(f"ipc://{tmp_path}/w") as (connection, _):
        await broker.receive(WorkerHello)
        broker.send((Welcome(FIRST, 60.0), b""))
        await connection.wait_welcome()
        results = [Done(job_id(number), 1) for number in range(50)]
        assert all(connection.send(result, b"result") for result in results)
        await broker.receive(Done)
        assert broker.envelopes[-1] == results


async def test_a_full_envelope_does_not_wait_for_the_rest_of_the_turn(broker, tmp_path):
    async with connected(f"ipc://{tmp_path}/w") as (connection, _):
        await broker.receive(WorkerHello)
        broker.send((Welcome(FIRST, 60.0), b""))
        await connection.wait_welcome()
        results = [Done(job_id(number), 1) for number in range(2 * FULL + 1)]
        for result in results[:-1]:
            connection.send(result)
        assert not connection._outbox
        connection.send(results[-1])
        for _ in range(3):
            await broker.receive(Done)
        first, second, third = broker.envelopes[-3:]
        assert first + second + third == results
        assert len(first) == len(second) == FULL


async def test_an_acknowledgement_leaves_with_the_next_message_and_before_it(broker, tmp_path):
    arrived: list[Header] = [Stopped(B, 1, "cancelled")]

    def acknowledge() -> Header | None:
        return arrived.pop() if arrived else None

    async with connected(f"ipc://{tmp_path}/w", acknowledge) as (connection, _):
        await broker.receive(WorkerHello)
        broker.send((Welcome(FIRST, 60.0), b""))
        await connection.wait_welcome()
        connection.send(Done(A, 1))
        connection.send(Done(A, 2))
        await broker.receive(Done)
        connection.send(Done(A, 3))
        await broker.receive(Done)
    acknowledged, later = broker.envelopes[-2:]
    assert acknowledged == [Stopped(B, 1, "cancelled"), Done(A, 1), Done(A, 2)]
    assert later == [Done(A, 3)]


async def test_nothing_is_sent_before_the_welcome(broker, tmp_path):
    async with connected(f"ipc://{tmp_path}/w") as (connection, _):
        await broker.receive(WorkerHello)
        assert not connection.send(Done(A, 1))
        broker.send((WhoAreYou(FIRST), b""), (Welcome(FIRST, 60.0), b""))
        await connection.wait_welcome()
        assert connection.send(Done(A, 2))
        assert await broker.receive(Done) == Done(A, 2)


async def test_the_last_messages_leave_before_the_socket_closes(broker, tmp_path):
    async with connected(f"ipc://{tmp_path}/w") as (connection, _):
        await broker.receive(WorkerHello)
        broker.send((Welcome(FIRST, 60.0), b""))
        await connection.wait_welcome()
        connection.send(WorkerBye())
    await broker.receive(WorkerBye)


async def test_all_messages_of_one_envelope_are_received(broker, tmp_path):
    async with connected(f"ipc://{tmp_path}/w") as (_, handler):
        await broker.receive(WorkerHello)
        assigns = [Assign(job_id(number), 1, 9.0) for number in range(30)]
        broker.send((Welcome(FIRST, 60.0), b""), *((assign, b"body") for assign in assigns))
        await until(lambda: handler.received == assigns)


async def test_a_result_that_a_dead_broker_did_not_read_is_sent_to_the_next(broker, tmp_path):
    async def work(job: Job) -> bytes:
        return b"result"

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            endpoint, drain = f"ipc://{tmp_path}/w", trio.Event()
            nursery.start_soon(lambda: serve(endpoint, "worker", 1, work, drain=drain))
            await broker.receive(WorkerHello)
            broker.send((Welcome(FIRST, 1.0, pool="test"), b""), (Assign(A, 1, 9.0), b""))
            await broker.receive(Done)  # it dies, and another broker starts
            broker.send((BrokerBeat(SECOND), b""))
            hello = await broker.receive(WorkerHello)
            assert hello.running == [A]
            broker.send((Welcome(SECOND, 1.0, pool="test"), b""))
            assert await broker.receive(Done) == Done(A, 1)
            nursery.cancel_scope.cancel()


async def test_a_result_that_was_read_is_not_sent_again(broker, tmp_path):
    async def work(job: Job) -> bytes:
        return b"result"

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            endpoint, drain = f"ipc://{tmp_path}/w", trio.Event()
            nursery.start_soon(lambda: serve(endpoint, "worker", 1, work, drain=drain))
            await broker.receive(WorkerHello)
            broker.send((Welcome(FIRST, 0.2, pool="test"), b""), (Assign(A, 1, 9.0), b""))
            await broker.receive(Done)
            for _ in range(20):  # three seconds of a live broker
                await trio.sleep(0.15)
                broker.send((BrokerBeat(FIRST), b""))
            await broker.receive(WorkerBeat)
            broker.send((BrokerBeat(SECOND), b""))
            assert (await broker.receive(WorkerHello)).running == []
            nursery.cancel_scope.cancel()


def test_pauses_between_attempts_grow_to_a_limit_and_are_jittered():
    pauses = list(itertools.islice(backoff(), 12))
    for number, pause in enumerate(pauses):
        middle = min(0.1 * 2**number, 5.0)
        assert 0.5 * middle <= pause <= 1.5 * middle
    assert pauses != list(itertools.islice(backoff(), 12))
