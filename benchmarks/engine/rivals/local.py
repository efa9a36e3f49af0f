"""Our own engine, whole: requests, batching, prefix cache, its thread."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import trio

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds
from rstar_async.wire import payloads
from workers.engines.local.engine import LocalEngine
from workers.engines.local.settings import LocalSettings


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    trio.run(_serve, job, measure)


async def _serve(job: Job, measure: Callable[[Generate], None]) -> None:
    """The measuring is synchronous, so it has a thread of its own, which only waits."""
    folder = Path(job.model)
    precision: Any = job.precision
    settings = LocalSettings(device="cpu", dtype=precision, threads=job.threads)
    seeds = count()
    async with LocalEngine(folder.parent, settings) as engine:

        async def generate(request: Request) -> list[TokenIds]:
            answers: dict[int, list[TokenIds]] = {}

            async def ask(number: int, prompt: TokenIds) -> None:
                wanted = _wanted(folder.name, request, prompt, next(seeds))
                answers[number] = [
                    sample.tokens for sample in (await engine.generate(wanted)).samples
                ]

            async with trio.open_nursery() as nursery:
                for number, prompt in enumerate(request.prompts):
                    nursery.start_soon(ask, number, prompt)
            return [ids for number in sorted(answers) for ids in answers[number]]

        def wait_for(request: Request) -> list[TokenIds]:
            return trio.from_thread.run(generate, request)

        await trio.to_thread.run_sync(measure, wait_for)


def _wanted(model: str, request: Request, prompt: TokenIds, seed: int) -> payloads.Generate:
    sampling = payloads.Sampling(request.temperature, max_tokens=request.new_tokens)
    return payloads.Generate(model, prompt, request.candidates, seed, sampling)
