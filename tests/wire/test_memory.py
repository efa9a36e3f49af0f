"""What one peer can make another hold: messages without end, with a real socket between them."""

import subprocess
import sys
from pathlib import Path

import pytest
import trio
import zmq

from rstar_async.wire.codec import decode_to_client, frames_of
from rstar_async.wire.messages import PROTOCOL, ClientHello, Welcome, job_id
from rstar_async.wire.pool import open_pool
from rstar_async.wire.sizes import BODY_BYTES, ENVELOPE_BYTES, ENVELOPE_FRAMES
from rstar_async.wire.socket import open_broker, open_peer
from tests.wire.broker_process import broker_in
from workers.worker import Job, serve

MIB = 1 << 20
# A process at rest, one whole message a peer, some to spare, and what comes between two looks.
MOST_MIB = 400


def peak_mib(process: subprocess.Popen) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def resident_mib(process: subprocess.Popen) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


async def expect_work_done(folder: Path, number: int) -> None:
    """An honest client and an honest worker do a job by way of the broker."""

    async def reverse(job: Job) -> bytes:
        return job.body[::-1]

    drain = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve(f"ipc://{folder}/w", "w", 4, reverse, drain=drain))
        async with open_pool(f"ipc://{folder}/c", name="client") as pool:
            assert (await pool.ask(job_id(number), b"abc")).body == b"cba"
        drain.set()


async def send_without_end(folder: Path, frame: bytes, count: int) -> None:
    """One message of so many frames, or as many as the broker takes, and no last one."""
    context: zmq.SyncContext = zmq.Context()
    raw: zmq.SyncSocket = context.socket(zmq.DEALER)
    raw.linger = 0
    raw.set(zmq.SNDHWM, 0)
    raw.connect(f"ipc://{folder}/c")
    for number in range(count):
        raw.send(frame, zmq.SNDMORE, copy=False)
        if number % max(1, 16 * MIB // max(1, len(frame))) == 0:
            await trio.sleep(0.02)
    await trio.sleep(1)
    raw.close()
    context.term()


@pytest.mark.parametrize("mib", [1, 15])
async def test_a_message_without_end_fills_no_broker(tmp_path, mib):
    with trio.fail_after(120), broker_in(tmp_path) as broker:
        await expect_work_done(tmp_path, 1)
        at_rest = resident_mib(broker)
        await send_without_end(tmp_path, b"x" * (mib * MIB), 1500 // mib)
        await expect_work_done(tmp_path, 2)
        assert peak_mib(broker) < at_rest + MOST_MIB
        assert resident_mib(broker) < at_rest + 100
        assert broker.poll() is None


async def test_large_messages_leave_no_memory_behind(tmp_path):
    async def large(job: Job) -> bytes:
        return bytes(BODY_BYTES)

    with trio.fail_after(120), broker_in(tmp_path) as broker:
        await expect_work_done(tmp_path, 1)
        at_rest = resident_mib(broker)
        drain = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve(f"ipc://{tmp_path}/w", "w", 4, large, drain=drain))
            async with open_pool(f"ipc://{tmp_path}/c", name="client") as pool:
                for number in range(8):
                    answer = await pool.ask(job_id("large", number), bytes(BODY_BYTES))
                    assert len(answer.body) == BODY_BYTES
            drain.set()
        await expect_work_done(tmp_path, 2)
        assert resident_mib(broker) < at_rest + 60


LISTEN = """
import sys, trio
from rstar_async.wire.pool import open_pool
async def main():
    async with open_pool(sys.argv[1], name="client"):
        print("up", flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


async def test_a_message_without_end_fills_no_client(tmp_path):
    endpoint = f"ipc://{tmp_path}/c"
    context: zmq.SyncContext = zmq.Context()
    raw: zmq.SyncSocket = context.socket(zmq.ROUTER)
    raw.linger = 0
    raw.set(zmq.SNDHWM, 0)
    raw.bind(endpoint)
    command = [sys.executable, "-c", LISTEN, endpoint]
    with trio.fail_after(120), subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        try:
            address, _ = await trio.to_thread.run_sync(raw.recv_multipart)
            raw.send_multipart([address, *frames_of((Welcome(b"8 bytes.", 1.0, 10), b""))])
            at_rest = resident_mib(client)
            raw.send(address, zmq.SNDMORE)
            for _ in range(100):
                raw.send(b"x" * (15 * MIB), zmq.SNDMORE, copy=False)
                await trio.sleep(0.01)
            await trio.sleep(1)
            assert peak_mib(client) < at_rest + MOST_MIB
            assert client.poll() is None
        finally:
            client.kill()
            context.destroy(linger=0)


@pytest.mark.parametrize(
    "frames",
    [[b""] * (2 * ENVELOPE_FRAMES), [bytes(BODY_BYTES)] * (ENVELOPE_BYTES // BODY_BYTES + 2)],
    ids=["frames", "bytes"],
)
async def test_a_whole_message_that_is_too_large_is_thrown_away_and_the_next_is_read(
    tmp_path, frames
):
    endpoint = f"ipc://{tmp_path}/s"
    context: zmq.SyncContext = zmq.Context()
    router = open_broker(context, endpoint, domain="clients", queue=1000, keys=None)
    dealer = open_peer(endpoint, queue=1000, keys=None)
    hello = frames_of((ClientHello(PROTOCOL, "client", b"session!"), b""))
    with trio.fail_after(30):
        dealer.send(frames)
        dealer.send(hello)
        received: list[list[bytes]] = []
        while len(received) < 2:
            received += [got for got, _ in await router.receive()]
        assert [len(got) for got in received] == [1, 2]
        address = received[0][0]
        router.send([address, *frames])
        router.send([address, *frames_of((Welcome(b"8 bytes.", 1.0), b""))])
        answers: list[list[bytes]] = []
        while len(answers) < 2:
            answers += [got for got, _ in await dealer.receive()]
    assert answers[0] == []
    assert isinstance(decode_to_client(answers[1])[0][0], Welcome)
    dealer.close()
    router.close()
    context.destroy(linger=0)
