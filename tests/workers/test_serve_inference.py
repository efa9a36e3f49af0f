"""The inference worker over a real broker, with a real engine and a real tiny model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio

from brokers.broker import Broker
from rstar_async.errors import JobFailed
from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Generate, Generated, Sampling
from rstar_async.wire.pool import PoolClient, open_pool
from tests.workers.engines.fixtures import models_dir
from workers.engines.local.engine import LocalEngine
from workers.serve_model import generate, serve_model
from workers.worker import EngineDead

__all__ = ["models_dir"]


@asynccontextmanager
async def served(folder: Path, engine: LocalEngine) -> AsyncIterator[PoolClient]:
    """A broker, one inference worker, and a client."""
    clients, workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Broker("inference", clients=clients, workers=workers).run)
            place, never = ("inference", workers, "w"), trio.Event()
            nursery.start_soon(lambda: serve_model(*place, engine, 8, drain=never))
            async with open_pool(clients, name="client", window=64) as pool:
                yield pool
            nursery.cancel_scope.cancel()


def body_of(model: str, *, n: int = 1, max_tokens: int = 6) -> bytes:
    return msgspec.msgpack.encode(Generate(model, [1, 2], n, 5, Sampling(max_tokens=max_tokens)))


async def test_a_job_comes_back_as_samples(models_dir: Path, tmp_path: Path) -> None:
    async with LocalEngine(models_dir) as engine, served(tmp_path, engine) as pool:
        done = await pool.ask(job_id("a"), body_of("llama", n=3))
        reply = msgspec.msgpack.decode(done.body, type=Generated)
    assert reply.model == "llama"
    assert [len(sample.tokens) for sample in reply.samples] == [6, 6, 6]


async def test_garbage_and_unknown_models_fail_their_job_only(
    models_dir: Path, tmp_path: Path
) -> None:
    async with LocalEngine(models_dir) as engine, served(tmp_path, engine) as pool:
        with pytest.raises(JobFailed, match="no such folder"):
            await pool.ask(job_id("a"), body_of("absent"))
        with pytest.raises(JobFailed, match="DecodeError"):
            await pool.ask(job_id("b"), b"\xc1")
        assert await pool.ask(job_id("c"), body_of("llama"))


async def test_a_cancelled_job_leaves_the_engine(models_dir: Path, tmp_path: Path) -> None:
    async with LocalEngine(models_dir) as engine, served(tmp_path, engine) as pool:
        await pool.ask(job_id("a"), body_of("llama"))
        with trio.move_on_after(0.1) as scope:
            await pool.ask(job_id("b"), body_of("llama", n=200, max_tokens=150))
        assert scope.cancelled_caught
        await pool.ask(job_id("c"), body_of("llama"))
        assert engine.statistics().running_samples == 0
        assert engine.statistics().requests == 2


async def test_an_engine_that_is_gone_ends_the_worker(models_dir: Path, tmp_path: Path) -> None:
    async with LocalEngine(models_dir) as engine:
        await generate(engine, body_of("llama"))
    with pytest.RaisesGroup(pytest.RaisesExc(EngineDead, match="closed")):
        async with served(tmp_path, engine) as pool:
            await pool.ask(job_id("a"), body_of("llama"))
