"""Sockets: no message lost to a cancel, no wake-up missed, no endpoint taken over."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
import zmq

from rstar_async.errors import BadInput
from rstar_async.wire.socket import Socket, open_broker, open_peer


@pytest.fixture
def context() -> Iterator[zmq.SyncContext]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def ipc(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/s"


def send_numbers(raw: zmq.SyncSocket, count: int) -> None:
    for number in range(count):
        raw.send(b"%d" % number)


async def test_cancelled_receives_lose_nothing_and_keep_order(context, ipc):
    raw, pushing = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    raw.bind(ipc)
    pushing.connect(ipc)
    socket = Socket(raw)
    sender = threading.Thread(target=send_numbers, args=(pushing, 5000))
    sender.start()
    got: list[int] = []
    cancels = 0
    rng = random.Random(0)
    with trio.fail_after(30):
        while len(got) < 5000:
            with trio.move_on_after(rng.random() * 0.0005) as scope:
                got += [int(frames[0]) for frames, _ in await socket.receive()]
            cancels += scope.cancelled_caught
    assert got == list(range(5000))
    sender.join()
    pushing.close()
    socket.close()


async def test_a_receiver_among_many_senders_misses_no_wake_up(context, ipc):
    broker = open_broker(context, ipc, domain="clients", queue=1000, keys=None)
    peer = open_peer(ipc, queue=1000, keys=None)
    room = trio.Semaphore(64)
    rng = random.Random(0)
    each, senders, got = 200, 16, 0

    async def echo() -> None:
        while True:
            for frames, _ in await broker.receive():
                broker.send(frames)

    async def send() -> None:
        for _ in range(each):
            await room.acquire()
            peer.send([b"x"])
            if rng.random() < 0.05:
                await trio.sleep(rng.random() * 0.001)

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            for _ in range(senders):
                nursery.start_soon(send)
            while got < each * senders:
                for _ in await peer.receive():
                    got += 1
                    room.release()
            nursery.cancel_scope.cancel()
    peer.close()
    broker.close()


async def test_close_wakes_the_receiver(ipc):
    peer = open_peer(ipc, queue=10, keys=None)

    async def receive() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await peer.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        peer.close()
        peer.close()  # idempotent


async def test_a_second_receiver_is_refused(ipc):
    peer = open_peer(ipc, queue=10, keys=None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.receive)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await peer.receive()
        nursery.cancel_scope.cancel()
    peer.close()


async def test_sending_to_an_unknown_peer_raises(context, ipc):
    broker = open_broker(context, ipc, domain="clients", queue=10, keys=None)
    with pytest.raises(trio.BrokenResourceError):
        broker.send([b"nobody", b"hello"])
    broker.close()


async def test_sending_to_a_full_queue_does_not_wait(ipc):
    peer = open_peer(ipc, queue=3, keys=None)
    for _ in range(3):
        peer.send([b"x"])
    with pytest.raises(trio.WouldBlock):
        peer.send([b"x"])
    peer.close()


async def test_a_live_brokers_ipc_path_cannot_be_taken(context, ipc):
    broker = open_broker(context, ipc, domain="clients", queue=10, keys=None)
    with pytest.raises(BadInput, match="in use") as refused:
        open_broker(context, ipc, domain="clients", queue=10, keys=None)
    assert ipc in str(refused.value)
    broker.close()
    open_broker(context, ipc, domain="clients", queue=10, keys=None).close()


HOLD = """
import sys, trio, zmq
from rstar_async.wire.socket import open_broker
async def main():
    open_broker(zmq.Context(), sys.argv[1], domain="clients", queue=10, keys=None)
    print("up", flush=True)
    await trio.sleep_forever()
trio.run(main)
"""


async def test_files_of_a_killed_broker_do_not_block_the_next(context, ipc):
    holder = await trio.lowlevel.open_process(
        [sys.executable, "-c", HOLD, ipc], stdout=subprocess.PIPE
    )
    async with holder.stdout:
        assert await holder.stdout.receive_some()
        with pytest.raises(BadInput, match="in use"):
            open_broker(context, ipc, domain="clients", queue=10, keys=None)
        holder.kill()
        await holder.wait()
    assert await trio.Path(ipc.removeprefix("ipc://")).exists()
    open_broker(context, ipc, domain="clients", queue=10, keys=None).close()


async def test_only_its_user_can_open_an_ipc_socket(context, ipc):
    broker = open_broker(context, ipc, domain="clients", queue=10, keys=None)
    assert os.stat(ipc.removeprefix("ipc://")).st_mode & 0o077 == 0
    broker.close()


async def test_a_port_in_use_is_named(context):
    broker = open_broker(context, "tcp://127.0.0.1:*", domain="clients", queue=10, keys=None)
    with pytest.raises(BadInput, match="in use") as refused:
        open_broker(context, broker.endpoint, domain="clients", queue=10, keys=None)
    assert broker.endpoint in str(refused.value)
    broker.close()


@pytest.mark.parametrize(
    ("endpoint", "complaint"),
    [
        ("ipc:///tmp/" + "x" * 120, "too long"),
        ("ipc://@abstract", "must name a file"),
        ("tcp://127.0.0.1:99999", "no valid port"),
        ("tcp://127.0.0.1", "lacks a port"),
        ("tcp://[::1]:http", "no valid port"),
        ("inproc://x", "must be ipc://PATH or tcp://HOST:PORT"),
        ("", "must be ipc://PATH or tcp://HOST:PORT"),
        ("tcp://0.0.0.0:5000", "rstar keys DIR"),
        ("tcp://*:5000", "rstar keys DIR"),
        ("tcp://gpu-3:5000", "rstar keys DIR"),
    ],
)
async def test_a_bad_endpoint_is_refused_with_its_name_and_the_reason(context, endpoint, complaint):
    with pytest.raises(BadInput, match=complaint) as refused:
        open_broker(context, endpoint, domain="clients", queue=10, keys=None)
    assert endpoint in str(refused.value)
    with pytest.raises(BadInput, match=complaint):
        open_peer(endpoint, queue=10, keys=None)


async def test_ipv6_loopback_works(context):
    broker = open_broker(context, "tcp://[::1]:*", domain="clients", queue=10, keys=None)
    peer = open_peer(broker.endpoint, queue=10, keys=None)
    peer.send([b"hello"])
    with trio.fail_after(10):
        ((frames, _),) = await broker.receive()
    assert frames[1] == b"hello"
    peer.close()
    broker.close()
