"""The reward worker: `Score` jobs from the broker to the PPM and back.

Micro-batches are made by the scorer: all requests that wait when it starts a forward pass share
it. So `capacity` is also the largest micro-batch, and nothing is ever held back to fill one.
"""

import logging
from pathlib import Path

import msgspec
import trio

from rstar_async.wire.payloads import Score
from workers import worker
from workers.engines.base import EngineFailed, Interrupted, Scorer
from workers.metrics import count_scored

log = logging.getLogger(__name__)


async def answer(scorer: Scorer, body: bytes) -> bytes:
    """The body of a `Score` in, the body of a `Scored` out; cancelling it drops the work."""
    request = msgspec.msgpack.decode(body, type=Score)
    scored = await scorer.score(request)
    count_scored(scored)
    return msgspec.msgpack.encode(scored)


async def serve_reward(
    endpoint: str,
    name: str,
    scorer: Scorer,
    capacity: int,
    *,
    keys: Path | None = None,
    drain: trio.Event | None = None,
) -> None:
    """Serve until told to drain, by `drain` or by a signal.

    `capacity` counts requests in flight, each with its steps.
    """

    async def handle(job: worker.Job) -> bytes:
        try:
            return await answer(scorer, job.body)
        except Interrupted as interruption:
            raise worker.Retryable(str(interruption)) from interruption
        except EngineFailed as failure:
            raise worker.EngineDead(str(failure)) from failure

    await worker.serve(endpoint, name, capacity, handle, keys=keys, drain=drain)
    log.info("reward done: worker=%s %s", name, scorer.statistics().summary())
