"""A conversation with a broker, heard at the broker's end: what is said when, and how often."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import zmq

from rstar_async.wire.codec import (
    MOST_MESSAGES,
    Message,
    decode_from_worker,
    decode_to_worker,
    frames_of,
)
from rstar_async.wire.connection import Connection, backoff
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    BrokerBeat,
    Done,
    Header,
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
A = job_id("a")


class Post:
    """A broker with a mind of the test's."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.envelopes: list[list[Header]] = []
        self._peer = b""

    async def hear(self, kind: type[Header]) -> Header:
        """The next message of this kind, whatever comes before."""
        while True:
            ((peer, *frames), _), *more = await self._socket.receive(limit=1)
            assert not more
            self._peer = peer
            self.envelopes.append([message for message, _ in decode_from_worker(frames)])
            for message in self.envelopes[-1]:
                if isinstance(message, kind):
                    return message

    def say(self, *parcels: Message) -> None:
        self._socket.send([self._peer, *frames_of(*parcels)])


@pytest.fixture
async def post(tmp_path):
    context: zmq.SyncContext = zmq.Context()
    socket = open_broker(context, f"ipc://{tmp_path}/w", domain="workers", queue=100, keys=None)
    yield Post(socket)
    socket.close()
    context.destroy(linger=0)


class Mute:
    """Says only what the test lets it say."""

    def __init__(self) -> None:
        self.heard_messages: list[Header] = []

    def hello(self) -> Header:
        return WorkerHello(PROTOCOL, "mute", b"session!", 1)

    def beat(self) -> Header:
        return WorkerBeat([], 1)

    def welcomed(self, welcome: Welcome) -> None:
        pass

    def heard(self, message: Header, body: bytes) -> None:
        self.heard_messages.append(message)


@asynccontextmanager
async def talking(endpoint: str) -> AsyncIterator[tuple[Connection, Mute]]:
    mute = Mute()
    link = Connection(
        endpoint, mute, lambda: open_peer(endpoint, queue=100, keys=None), decode_to_worker
    )
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            yield link, mute
            nursery.cancel_scope.cancel()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await trio.sleep(0.01)


async def test_what_is_said_in_one_turn_travels_in_one_envelope_and_in_order(post, tmp_path):
    async with talking(f"ipc://{tmp_path}/w") as (link, _):
        await post.hear(WorkerHello)
        post.say((Welcome(FIRST, 60.0), b""))
        await link.wait_welcome()
        words = [Done(job_id(number), 1) for number in range(50)]
        assert all(link.send(word, b"result") for word in words)
        await post.hear(Done)
        assert post.envelopes[-1] == words


async def test_what_fills_an_envelope_does_not_wait_for_the_rest_of_the_turn(post, tmp_path):
    async with talking(f"ipc://{tmp_path}/w") as (link, _):
        await post.hear(WorkerHello)
        post.say((Welcome(FIRST, 60.0), b""))
        await link.wait_welcome()
        words = [Done(job_id(number), 1) for number in range(2 * MOST_MESSAGES + 1)]
        for word in words[:-1]:
            link.send(word)
        assert not link._outbox
        link.send(words[-1])
        for _ in range(3):
            await post.hear(Done)
        first, second, third = post.envelopes[-3:]
        assert first + second + third == words
        assert len(first) == len(second) == MOST_MESSAGES


async def test_nothing_is_said_before_the_welcome(post, tmp_path):
    async with talking(f"ipc://{tmp_path}/w") as (link, _):
        await post.hear(WorkerHello)
        assert not link.send(Done(A, 1))
        post.say((WhoAreYou(FIRST), b""), (Welcome(FIRST, 60.0), b""))
        await link.wait_welcome()
        assert link.send(Done(A, 2))
        assert await post.hear(Done) == Done(A, 2)


async def test_the_last_words_leave_before_the_socket_closes(post, tmp_path):
    async with talking(f"ipc://{tmp_path}/w") as (link, _):
        await post.hear(WorkerHello)
        post.say((Welcome(FIRST, 60.0), b""))
        await link.wait_welcome()
        link.send(WorkerBye())
    await post.hear(WorkerBye)


async def test_many_messages_of_one_envelope_are_all_heard(post, tmp_path):
    async with talking(f"ipc://{tmp_path}/w") as (_, mute):
        await post.hear(WorkerHello)
        assigns = [Assign(job_id(number), 1, 9.0) for number in range(30)]
        post.say((Welcome(FIRST, 60.0), b""), *((assign, b"body") for assign in assigns))
        await until(lambda: mute.heard_messages == assigns)


async def test_a_word_that_a_dead_broker_left_unread_is_said_to_the_next(post, tmp_path):
    async def work(job: Job) -> bytes:
        return b"result"

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            endpoint, drain = f"ipc://{tmp_path}/w", trio.Event()
            nursery.start_soon(lambda: serve(endpoint, "worker", 1, work, drain=drain))
            await post.hear(WorkerHello)
            post.say((Welcome(FIRST, 1.0, pool="test"), b""), (Assign(A, 1, 9.0), b""))
            await post.hear(Done)  # and dies of it, and another one comes
            post.say((BrokerBeat(SECOND), b""))
            hello = await post.hear(WorkerHello)
            assert hello.running == [A]
            post.say((Welcome(SECOND, 1.0, pool="test"), b""))
            assert await post.hear(Done) == Done(A, 1)
            nursery.cancel_scope.cancel()


async def test_a_word_that_was_read_is_not_said_again(post, tmp_path):
    async def work(job: Job) -> bytes:
        return b"result"

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            endpoint, drain = f"ipc://{tmp_path}/w", trio.Event()
            nursery.start_soon(lambda: serve(endpoint, "worker", 1, work, drain=drain))
            await post.hear(WorkerHello)
            post.say((Welcome(FIRST, 0.2, pool="test"), b""), (Assign(A, 1, 9.0), b""))
            await post.hear(Done)
            for _ in range(20):  # three seconds of a broker that lives
                await trio.sleep(0.15)
                post.say((BrokerBeat(FIRST), b""))
            await post.hear(WorkerBeat)
            post.say((BrokerBeat(SECOND), b""))
            assert (await post.hear(WorkerHello)).running == []
            nursery.cancel_scope.cancel()


def test_pauses_between_attempts_grow_to_a_limit_and_are_jittered():
    pauses = list(itertools.islice(backoff(), 12))
    for number, pause in enumerate(pauses):
        middle = min(0.1 * 2**number, 5.0)
        assert 0.5 * middle <= pause <= 1.5 * middle
    assert pauses != list(itertools.islice(backoff(), 12))
