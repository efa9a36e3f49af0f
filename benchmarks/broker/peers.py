"""`python -m benchmarks.broker.peers ROLE …`: the processes around a broker that is being measured.

Blocking peers do as little as can be done in Python, so that the process between them is measured.
The raw ones echo through `zmq.proxy`; the lease ones speak our protocol, with beats; pool_client
and pool_worker are our own client and worker.
"""

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec
import trio
import zmq

from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.codec import (
    Decode,
    Message,
    decode_to_client,
    decode_to_worker,
    envelopes,
    frames_of,
)
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    ClientBeat,
    ClientHello,
    Done,
    Finished,
    Got,
    Header,
    Submit,
    Welcome,
    WorkerBeat,
    WorkerHello,
    job_id,
)
from rstar_async.wire.pool import open_pool
from workers.worker import Job, serve

BODY = b"x" * 256
CAPACITY = 4096
WARM_UP_SECONDS = 0.5
SESSION = b"benchmrk"

M = TypeVar("M")


class Timing(msgspec.Struct, frozen=True):
    """Round trips of one client, after its warm-up; `round_trips` counts the warm-up's too."""

    round_trips: int
    per_second: float
    p50_ms: float
    p99_ms: float


class Stopwatch:
    """Times round trips by key, until `seconds` after the warm-up."""

    def __init__(self, seconds: float) -> None:
        self._begin = time.perf_counter() + WARM_UP_SECONDS
        self._end = self._begin + seconds
        self._started: dict[bytes, float] = {}
        self._taken: list[float] = []
        self._all = 0

    @property
    def runs(self) -> bool:
        return time.perf_counter() < self._end

    def start(self, key: bytes) -> None:
        self._started[key] = time.perf_counter()

    def stop(self, key: bytes) -> None:
        now, started = time.perf_counter(), self._started.pop(key)
        self._all += 1
        if now >= self._begin:
            self._taken.append(now - started)

    def timing(self) -> Timing:
        taken = sorted(self._taken)
        seconds = time.perf_counter() - self._begin
        at = [1000 * taken[int(len(taken) * share)] for share in (0.5, 0.99)]
        return Timing(self._all, len(taken) / seconds, *at)


@contextlib.contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process, for as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def proxy(front: str, back: str) -> None:
    """The limit: C++ from one side to the other."""
    zmq.proxy(_socket(zmq.ROUTER, front, bind=True), _socket(zmq.DEALER, back, bind=True))


def raw_worker(endpoint: str) -> None:
    """Send everything back."""
    socket = _socket(zmq.DEALER, endpoint)
    while True:
        socket.send_multipart(socket.recv_multipart())


def raw_client(endpoint: str, in_flight: str, seconds: str) -> None:
    """Keep this many echoes in flight."""
    socket, watch = _socket(zmq.DEALER, endpoint), Stopwatch(float(seconds))

    def send(key: bytes) -> None:
        watch.start(key)
        socket.send_multipart([key, BODY])

    keys = _keys()
    for _ in range(int(in_flight)):
        send(next(keys))
    while watch.runs:
        watch.stop(socket.recv_multipart()[0])
        send(next(keys))
    _print(watch)


def lease_worker(endpoint: str) -> None:
    """Answer every job at once."""
    hello = WorkerHello(PROTOCOL, "worker", SESSION, CAPACITY)
    peer = _Peer(endpoint, decode_to_worker, hello, 1.0)
    while True:
        peer.beat(lambda: WorkerBeat([], CAPACITY))
        peer.send(
            [
                (Done(message.job, message.attempt), body)
                for message, body in peer.receive()
                if isinstance(message, Assign)
            ]
        )


def lease_client(endpoint: str, in_flight: str, seconds: str) -> None:
    """Keep this many jobs with the broker."""
    peer = _Peer(endpoint, decode_to_client, ClientHello(PROTOCOL, "client", SESSION), 2.0)
    while not any(isinstance(message, Welcome) for message, _ in peer.receive()):
        pass
    watch, waiting, keys = Stopwatch(float(seconds)), set[bytes](), _keys()

    def submit() -> Message:
        job = next(keys)
        waiting.add(job)
        watch.start(job)
        return Submit(job), BODY

    peer.send([submit() for _ in range(int(in_flight))])
    while watch.runs:
        peer.beat(lambda: ClientBeat(list(waiting)))
        arrived: list[bytes] = []
        for message, _ in peer.receive():
            if isinstance(message, Finished) and message.job in waiting:
                waiting.discard(message.job)
                watch.stop(message.job)
                arrived.append(message.job)
        if arrived:
            got = Got(arrived[0], others=arrived[1:])
            peer.send([(got, b""), *(submit() for _ in arrived)])
    _print(watch)


def pool_worker(endpoint: str, capacity: str = str(CAPACITY), seconds: str = "0") -> None:
    """Our own worker, as an executor's process runs it; every job takes `seconds`."""

    async def handle(job: Job) -> bytes:
        if pause := float(seconds):
            await trio.sleep(pause)
        return job.body

    tune_gc()
    trio.run(lambda: serve(endpoint, "pool_worker", int(capacity), handle))


def pool_client(endpoint: str, in_flight: str, seconds: str) -> None:
    """Our own client, as a coordinator's process runs it, with that many tasks asking."""

    async def ask_all() -> Stopwatch:
        async with open_pool(endpoint, name="pool", window=CAPACITY) as pool:
            await pool.status()
            watch, keys = Stopwatch(float(seconds)), _keys()

            async def ask() -> None:
                while watch.runs:
                    key = next(keys)
                    watch.start(key)
                    await pool.ask(key, BODY)
                    watch.stop(key)

            async with trio.open_nursery() as nursery:
                for _ in range(int(in_flight)):
                    nursery.start_soon(ask)
        return watch

    tune_gc()
    _print(trio.run(ask_all))


class _Peer(Generic[M]):
    """A blocking socket that has said hello and beats when asked to."""

    def __init__(
        self, endpoint: str, decode: Decode[M], hello: Header, beat_seconds: float
    ) -> None:
        self._socket = _socket(zmq.DEALER, endpoint)
        self._socket.rcvtimeo = 200
        self._decode = decode
        self._pause = beat_seconds
        self._beat_at = time.monotonic() + beat_seconds
        self.send([(hello, b"")])

    def receive(self) -> list[tuple[M, bytes]]:
        try:
            return self._decode(self._socket.recv_multipart())
        except zmq.Again:
            return []

    def send(self, messages: list[Message]) -> None:
        for envelope in envelopes(messages):
            if envelope:
                self._socket.send_multipart(frames_of(*envelope))

    def beat(self, make: Callable[[], Header]) -> None:
        if time.monotonic() >= self._beat_at:
            self._beat_at += self._pause
            self.send([(make(), b"")])


def _keys() -> Iterator[bytes]:
    return (job_id(number) for number in itertools.count())


def _socket(kind: int, endpoint: str, *, bind: bool = False) -> zmq.SyncSocket:
    socket: zmq.SyncSocket = zmq.Context.instance().socket(kind)
    socket.linger = 0
    socket.set_hwm(100_000)
    (socket.bind if bind else socket.connect)(endpoint)
    return socket


def _print(watch: Stopwatch) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(watch.timing()))


_ROLES = (proxy, raw_worker, raw_client, lease_worker, lease_client, pool_worker, pool_client)
ROLES = {role.__name__: role for role in _ROLES}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
