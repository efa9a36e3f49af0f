"""The inference and reward workers: jobs from the broker to an engine or a scorer and back.

Knows nothing of torch or of SGLang: the engine is handed in, opened. A bad request or a missing
model fails its job; an engine that cannot go on ends the worker, so that its leases move on.
Nothing is held back to fill a batch: the engine batches the requests that wait for it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import trio

from rstar_async.engines.errors import EngineFailed, Interrupted
from rstar_async.engines.sglang_servers import ModelPool
from rstar_async.wire.payloads import Generate, Score
from workers import worker
from workers.engines.base import Engine, Scorer
from workers.metrics import count_generated, count_scored

log = logging.getLogger(__name__)


async def generate(engine: Engine, body: bytes) -> bytes:
    """The body of a `Generate` in, of a `Generated` out; cancelling it drops the request."""
    generated = await engine.generate(msgspec.msgpack.decode(body, type=Generate))
    count_generated(generated)
    return msgspec.msgpack.encode(generated)


async def score(scorer: Scorer, body: bytes) -> bytes:
    """The body of a `Score` in, of a `Scored` out; cancelling it drops the request."""
    scored = await scorer.score(msgspec.msgpack.decode(body, type=Score))
    count_scored(scored)
    return msgspec.msgpack.encode(scored)


ANSWERS: Mapping[ModelPool, Callable[[Any, bytes], Awaitable[bytes]]] = {
    "inference": generate,
    "reward": score,
}


async def serve_model(
    pool: ModelPool,
    endpoint: str,
    name: str,
    model: Engine | Scorer,
    capacity: int,
    *,
    keys: Path | None = None,
    drain: trio.Event | None = None,
) -> None:
    """Serve until told to drain, by `drain` or by a signal; at most `capacity` requests at once.

    A request counts once, however many samples or steps it has.
    """

    async def handle(job: worker.Job) -> bytes:
        try:
            return await ANSWERS[pool](model, job.body)
        except Interrupted as interruption:
            raise worker.Retryable(str(interruption)) from interruption
        except EngineFailed as failure:
            raise worker.EngineDead(str(failure)) from failure

    await worker.serve(endpoint, name, capacity, handle, keys=keys, drain=drain)
    log.info(
        "model worker done", extra={"worker": name, "pool": pool, **model.statistics().totals()}
    )
