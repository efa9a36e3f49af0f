"""What a search asks an engine and when it is answered; and the same requests without it."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import trio

from rstar_async.wire.payloads import Generate, Generated
from workers.engines.base import Engine, Statistics

# The share of the answers by whose order the steady middle begins and ends.
BEGIN, END = 0.1, 0.75


class Answered(NamedTuple):
    """When a request was answered, in seconds of any clock, and with how many new tokens."""

    at: float
    tokens: int


def steady_rate(answers: Sequence[Answered]) -> float:
    """Tokens a second without the start and the last stragglers; NaN for too few answers."""
    ordered = sorted(answers)
    first, last = int(BEGIN * len(ordered)), int(END * len(ordered))
    if last <= first or ordered[last].at <= ordered[first].at:
        return float("nan")
    tokens = sum(answer.tokens for answer in ordered[first + 1 : last + 1])
    return tokens / (ordered[last].at - ordered[first].at)


class RecordingEngine:
    """An `Engine` that remembers all requests in the order in which they came."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: list[Generate] = []
        self.answers: list[Answered] = []

    @property
    def models_dir(self) -> Path:
        return self._engine.models_dir

    def statistics(self) -> Statistics:
        return self._engine.statistics()

    async def generate(self, request: Generate) -> Generated:
        self.requests.append(request)
        reply = await self._engine.generate(request)
        self.answers.append(_answered(reply))
        return reply

    async def __aenter__(self) -> Self:
        await self._engine.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._engine.__aexit__(kind, error, trace)


async def answers_alone(
    engine: Engine, requests: Sequence[Generate], at_once: int
) -> list[Answered]:
    """The same requests in the same order, always `at_once` of them at the engine."""
    answers: list[Answered] = []
    waiting = iter(requests)

    async def ask() -> None:
        for request in waiting:
            answers.append(_answered(await engine.generate(request)))

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(ask)
    return answers


def _answered(reply: Generated) -> Answered:
    return Answered(time.monotonic(), sum(len(sample.tokens) for sample in reply.samples))
