"""Seeds on a deterministic server: the same samples again, alone and in a full batch."""

from functools import partial

import trio

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.parts.answers import SAMPLED, prompts_of
from benchmarks.gpu.place import POLICY, Place
from rstar_async.wire.payloads import Generate, TokenIds
from workers.engines.base import Engine
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.role import POLICY as POLICY_ROLE

PROMPTS, SAMPLES = 32, 4


def measure(place: Place, findings: Findings) -> None:
    trio.run(partial(_measure, place, findings))


async def _measure(place: Place, findings: Findings) -> None:
    command = place.command(POLICY, "--enable-deterministic-inference")
    server = ManagedServer(POLICY_ROLE, command, place.ports[POLICY])
    requests = [
        Generate(POLICY, prompt, SAMPLES, seed, SAMPLED)
        for seed, prompt in enumerate(prompts_of(place, PROMPTS))
    ]
    async with SGLangEngine(place.models, server, POLICY) as engine:
        alone = [await _samples(engine, request) for request in requests]
        again = [await _samples(engine, request) for request in requests]
        together = await _together(engine, requests)
    findings.note("samples", PROMPTS * SAMPLES)
    findings.claim("the same again", _equal(alone, again), "share", "==", 1)
    findings.claim("the same in a full batch", _equal(alone, together), "share", "==", 1)
    different = len({tuple(ids) for samples in alone for ids in samples})
    findings.claim("different samples", different, "", ">", PROMPTS)


async def _together(engine: Engine, requests: list[Generate]) -> list[list[TokenIds]]:
    found: dict[int, list[TokenIds]] = {}

    async def ask(number: int, request: Generate) -> None:
        found[number] = await _samples(engine, request)

    async with trio.open_nursery() as nursery:
        for number, request in enumerate(requests):
            nursery.start_soon(ask, number, request)
    return [found[number] for number in range(len(requests))]


async def _samples(engine: Engine, request: Generate) -> list[TokenIds]:
    return [sample.tokens for sample in (await engine.generate(request)).samples]


def _equal(some: list[list[TokenIds]], others: list[list[TokenIds]]) -> float:
    pairs = [
        one == other
        for samples, again in zip(some, others, strict=True)
        for one, other in zip(samples, again, strict=True)
    ]
    return sum(pairs) / len(pairs)
