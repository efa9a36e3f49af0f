"""Hostile peers: nothing they send stops a broker, and everything malformed is counted.

Hypothesis drives the small runs and shrinks what it finds. The million inputs of the slow test go
through codec and dispatcher, which is all that a broker does with them; the live broker gets some
too.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brokers.dispatcher import Dispatcher
from rstar_async.wire.codec import (
    Malformed,
    decode_from_client,
    decode_from_worker,
    decode_to_client,
    decode_to_worker,
    frames_of,
)
from rstar_async.wire.messages import job_id
from rstar_async.wire.pool import open_pool
from rstar_async.wire.sizes import LARGEST_FRAME
from rstar_async.wire.socket import Socket, open_peer
from tests.wire.broker_process import broker_in
from tests.wire.hostile import Frames, hostile
from workers.worker import Job, serve

DECODERS = [decode_from_client, decode_from_worker, decode_to_client, decode_to_worker]
MILLION = 1_000_000
PEERS = [b"peer%d" % number for number in range(6)]
PATIENCE = 60.0

dice = st.randoms(use_true_random=False)
in_large = settings(deadline=None, suppress_health_check=list(HealthCheck))


class Target:
    """A dispatcher that receives from hostile peers on both sides while time passes."""

    def __init__(self) -> None:
        self.now, self.refused = 0.0, 0
        self.dispatcher = Dispatcher("test", b"8 bytes.", self.now, rng=Random(0))

    def receive(self, random: Random, frames: Frames) -> None:
        self.now += random.choice([0.0, 0.001, 0.3])
        peer = random.choice(PEERS)
        is_client = random.random() < 0.5
        decode = decode_from_client if is_client else decode_from_worker
        dispatcher = self.dispatcher
        handle = dispatcher.receive_from_client if is_client else dispatcher.receive_from_worker
        try:
            messages = decode(frames)
        except Malformed:
            self.refused += 1
            (dispatcher.refuse_client if is_client else dispatcher.refuse_worker)(self.now, peer)
        else:
            for message, body in messages:
                handle(self.now, peer, message, body)
            encode_all(dispatcher.end_turn(self.now))
        if random.random() < 0.02:
            encode_all(dispatcher.tick(self.now))


def encode_all(effects: list) -> None:
    """What is to be sent can be sent."""
    for effect in effects:
        if hasattr(effect, "message"):
            frames_of((effect.message, effect.body))


@settings(in_large, max_examples=300)
@given(dice, st.sampled_from(DECODERS))
def test_hostile_frames_are_a_message_or_malformed(random: Random, decode: Callable):
    with contextlib.suppress(Malformed):
        decode(hostile(random))


@settings(in_large, max_examples=30)
@given(dice)
def test_a_dispatcher_survives_hostile_peers(random: Random):
    target = Target()
    for _ in range(60):
        target.receive(random, hostile(random))


@pytest.mark.slow
def test_a_dispatcher_survives_a_million_hostile_inputs():
    random = Random(20261121)
    target = Target()
    for _ in range(MILLION):
        target.receive(random, hostile(random))
    assert target.refused > MILLION // 4


async def test_a_live_broker_counts_malformed_messages_and_goes_on_working(tmp_path: Path):
    await attack(tmp_path, inputs=3000)


@pytest.mark.slow
async def test_a_live_broker_survives_a_long_attack(tmp_path: Path):
    await attack(tmp_path, inputs=200_000)


async def test_only_the_peer_that_sends_too_much_is_cut_off(tmp_path: Path):
    async with broker_and_worker(tmp_path) as (clients, _):
        peer = open_peer(clients, queue=10, keys=None)
        peer.send([b"\0" * (LARGEST_FRAME + 1)])
        await expect_work_done(clients)
        peer.close()


async def attack(folder: Path, inputs: int) -> None:
    random, malformed = Random(inputs), 0
    async with broker_and_worker(folder) as (clients, workers):
        sides = [(clients, decode_from_client), (workers, decode_from_worker)]
        peers = [(open_peer(end, queue=1000, keys=None), decode) for end, decode in sides * 3]
        for number in range(inputs):
            socket, decode = random.choice(peers)
            frames = hostile(random)
            malformed += not is_message(decode, frames)
            await send(socket, frames)
            if number % 500 == 0:
                await expect_work_done(clients)
        await expect_counted(clients, malformed)
        for socket, _ in peers:
            socket.close()


def is_message(decode: Callable, frames: Frames) -> bool:
    try:
        decode(frames)
    except Malformed:
        return False
    return True


async def send(socket: Socket, frames: Frames) -> None:
    """Send, waiting while the queue is full, and discard what comes back."""
    while True:
        try:
            socket.send(frames)
        except trio.WouldBlock:
            await trio.sleep(0.001)
        else:
            socket.receive_nowait()
            return


@contextlib.asynccontextmanager
async def broker_and_worker(folder: Path):
    """A broker and one honest worker; fails if it takes forever."""
    clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"

    async def handle(job: Job) -> bytes:
        return job.body[::-1]

    with broker_in(folder), trio.fail_after(20 * PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve(workers, "honest", 4, handle, drain=trio.Event()))
            yield clients, workers
            nursery.cancel_scope.cancel()


async def expect_work_done(clients: str) -> None:
    """An honest client gets an answer, though perhaps from a hostile worker."""
    with trio.fail_after(PATIENCE):
        async with open_pool(clients, name="honest") as pool:
            answer = await pool.ask(job_id("honest"), b"work")
    assert answer.body in (b"krow", b"", b"body", b"body" * 2, b"body" * 3)


async def expect_counted(clients: str, malformed: int) -> None:
    with trio.fail_after(PATIENCE):
        async with open_pool(clients, name="honest") as pool:
            while (await pool.status()).counters.malformed < malformed:  # noqa: ASYNC110
                await trio.sleep(0.05)
            assert (await pool.status()).counters.malformed == malformed
