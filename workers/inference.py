"""The inference worker: `Generate` jobs from the broker to an engine and back.

Knows nothing of torch or of SGLang: the engine is handed in, opened. A bad request or a missing
model fails its job; an engine that cannot go on ends the worker, so that its leases move on.
"""

import logging
from pathlib import Path

import msgspec
import trio

from rstar_async.wire.payloads import Generate
from workers import worker
from workers.engines.base import Engine, EngineFailed, Interrupted
from workers.metrics import count_generated

log = logging.getLogger(__name__)


async def answer(engine: Engine, body: bytes) -> bytes:
    """The body of a `Generate` in, the body of a `Generated` out; cancelling it drops the work."""
    request = msgspec.msgpack.decode(body, type=Generate)
    generated = await engine.generate(request)
    count_generated(generated)
    return msgspec.msgpack.encode(generated)


async def serve_inference(
    endpoint: str,
    name: str,
    engine: Engine,
    capacity: int,
    *,
    keys: Path | None = None,
    drain: trio.Event | None = None,
) -> None:
    """Serve until told to drain, by `drain` or by a signal.

    `capacity` counts requests in flight, each with its n samples.
    """

    async def handle(job: worker.Job) -> bytes:
        try:
            return await answer(engine, job.body)
        except Interrupted as interruption:
            raise worker.Retryable(str(interruption)) from interruption
        except EngineFailed as failure:
            raise worker.EngineDead(str(failure)) from failure

    await worker.serve(endpoint, name, capacity, handle, keys=keys, drain=drain)
    log.info("inference done: worker=%s %s", name, engine.statistics().summary())
