"""`Score` jobs with a real scorer over a real tiny model."""

from pathlib import Path

import msgspec
import pytest

from rstar_async.engines.errors import BadRequest
from rstar_async.wire.payloads import Score, Scored
from tests.workers.engines.fixtures import models_dir
from workers.engines.local.scorer import LocalScorer
from workers.serve_model import score

__all__ = ["models_dir"]


async def test_a_body_in_is_a_body_out(models_dir: Path) -> None:
    request = Score("llama-ppm", [1, 2, 3], [[4], [5, 6]])
    async with LocalScorer(models_dir) as scorer:
        body = await score(scorer, msgspec.msgpack.encode(request))
        reply = msgspec.msgpack.decode(body, type=Scored)
        assert reply.values == pytest.approx((await scorer.score(request)).values, abs=1e-6)


async def test_a_bad_request_fails_the_job_only(models_dir: Path) -> None:
    async with LocalScorer(models_dir) as scorer:
        with pytest.raises(msgspec.DecodeError):
            await score(scorer, b"")
        with pytest.raises(BadRequest):
            await score(scorer, msgspec.msgpack.encode(Score("llama-ppm", [1], [])))
        good = Score("llama-ppm", [1], [[2]])
        assert await score(scorer, msgspec.msgpack.encode(good))
