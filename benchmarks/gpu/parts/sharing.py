"""Memory of both servers given to the trainer and taken back, by the code that a run uses.

Without a card the routes answer and free nothing; then only the answers are compared.
"""

import time
from functools import partial

import torch
import trio

from benchmarks.gpu.card import card_now
from benchmarks.gpu.findings import Findings
from benchmarks.gpu.parts.answers import GREEDY, prompts_of
from benchmarks.gpu.place import POLICY, PPM, Place
from benchmarks.gpu.searching import attached
from rstar_async.coordinator.gpu_sharing import Owner, SGLangDevice, SharedGPU
from rstar_async.wire.payloads import Generate, TokenIds

MIB = 1024**2
# Of what the servers held: their CUDA contexts stay.
LEAST_FREED = 0.8
TRAINERS_SHARE = 0.9


def measure(place: Place, findings: Findings) -> None:
    trio.run(partial(_hand_over_and_back, place, findings))


async def _hand_over_and_back(place: Place, findings: Findings) -> None:
    gpu = SharedGPU([SGLangDevice(place.url(role)) for role in (POLICY, PPM)])
    before, held = await _answers(place), _used(place)
    findings.note("given to the trainer in", await _seconds(gpu, "trainer"), "s")
    if place.on_card:
        _measure_freed(findings, held)
    findings.note("taken back in", await _seconds(gpu, "servers"), "s")
    if place.on_card:
        findings.claim("memory used after / before", _used(place) / held, "share", ">=", 0.9)
    same = before == await _answers(place)
    findings.claim("the same answers before and after", float(same), "", "==", 1)


async def _seconds(gpu: SharedGPU, owner: Owner) -> float:
    started = time.monotonic()
    await gpu.hand_over(owner)
    return time.monotonic() - started


def _measure_freed(findings: Findings, held: float) -> None:
    """A trainer must be able to use what is free, not only to see it."""
    card = card_now()
    findings.note("memory used before", held / 1024, "GiB")
    findings.note("memory used while given away", card.used / 1024, "GiB")
    findings.claim("freed", (held - card.used) / held, "share", ">=", LEAST_FREED)
    free = int((card.total - card.used) * TRAINERS_SHARE) * MIB
    torch.empty(free, dtype=torch.uint8, device="cuda").fill_(1)
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    findings.note("allocated by another process meanwhile", free / 1024**3, "GiB")


async def _answers(place: Place) -> list[TokenIds]:
    async with attached(place, place.models) as engine:
        requests = [Generate(POLICY, prompt, 1, 1, GREEDY) for prompt in prompts_of(place, 4)]
        return [(await engine.generate(request)).samples[0].tokens for request in requests]


def _used(place: Place) -> float:
    return card_now().used if place.on_card else 0.0
