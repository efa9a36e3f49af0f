"""Simulated engines as workers of a broker, several in this process, on a clock that runs slower.

One second of an engine takes `dilation` seconds here. Everything else is real and is not slowed, so
a machine of few cores can serve many engines; what that would take at full speed is computed from
the CPU time used (`__main__`). An engine's own schedule is kept: a wake-up that comes late, because
this machine is busy, delays a reply, but makes no engine slower.
"""

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio

from benchmarks.saturation.batch import Batch, Request, Totals
from benchmarks.saturation.curve import Curve
from benchmarks.saturation.steps import STEP_TOKENS, answer
from rstar_async.wire.payloads import Generate
from workers.worker import Job, serve

SEQUENCES = 256  # at once
JOBS = 64  # of eight sequences: half of them run, and as many wait in the engine
SPREAD = 0.5  # of the logarithm of a step's length; the mean is STEP_TOKENS
DECODER = msgspec.msgpack.Decoder(Generate)


class Engine:
    """One engine: answers in the time that the curve says."""

    def __init__(self, curve: Curve, dilation: float, seed: int) -> None:
        self._batch = Batch(curve, SEQUENCES)
        self._dilation = dilation
        self._random = random.Random(seed)
        self._done: dict[int, trio.Event] = {}
        self._arrived = trio.Event()
        self._known: set[str] = set()

    @property
    def totals(self) -> Totals:
        return Totals() + self._batch.totals

    async def handle(self, job: Job) -> bytes:
        generate = DECODER.decode(job.body)
        lengths = [self._length() for _ in range(generate.n)]
        fresh = STEP_TOKENS if job.group in self._known else len(generate.prompt)
        self._known.add(job.group)
        request = Request(lengths, len(generate.prompt), fresh)
        done = self._done[id(request)] = trio.Event()
        self._batch.add(request)
        self._arrived.set()
        await done.wait()
        return msgspec.msgpack.encode(answer(generate))

    async def run(self) -> None:
        """Decode for as long as there is something to decode."""
        clock = trio.current_time()
        while True:
            seconds = self._batch.begin_quantum()
            if seconds is None:
                self._arrived = trio.Event()
                await self._arrived.wait()
                clock = trio.current_time()
                continue
            clock += seconds * self._dilation
            await trio.sleep_until(clock)
            for request in self._batch.end_quantum():
                self._done.pop(id(request)).set()

    def _length(self) -> int:
        """Log-normal, bounded by what a step may have."""
        mean = math.log(STEP_TOKENS) - SPREAD**2 / 2
        return min(256, max(4, round(self._random.lognormvariate(mean, SPREAD))))


@asynccontextmanager
async def open_engines(
    endpoint: str, number: int, curve: Curve, dilation: float
) -> AsyncIterator[list[Engine]]:
    """`number` engines, each a worker of its own at the broker."""
    engines = [Engine(curve, dilation, seed) for seed in range(number)]
    async with trio.open_nursery() as nursery:
        for index, engine in enumerate(engines):
            nursery.start_soon(engine.run)
            nursery.start_soon(_serve, endpoint, f"engine-{index}", engine)
        yield engines
        nursery.cancel_scope.cancel()


async def _serve(endpoint: str, name: str, engine: Engine) -> None:
    await serve(endpoint, name, JOBS, engine.handle, drain=trio.Event())
