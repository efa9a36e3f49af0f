"""A request that waits for its reply, and the sequences that are decoded for it."""

import time
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

import trio

from rstar_async.wire.payloads import Generate, Generated, Sample, Score
from workers.engines.local.sampler import stream_key
from workers.engines.stops import Decode, Finish, StopRule

Request = TypeVar("Request", bound=Generate | Score)
Reply = TypeVar("Reply")


class PendingRequest(Generic[Request, Reply]):
    """Made by a trio task, answered or failed exactly once by the torch thread."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.arrived = time.perf_counter()
        self.cancelled = False
        self._trio = trio.lowlevel.current_trio_token()
        self._done = trio.Event()
        self._reply: Reply | None = None
        self._error: Exception | None = None

    @property
    def seconds(self) -> float:
        """Wall time since the request arrived."""
        return time.perf_counter() - self.arrived

    def answer(self, reply: Reply) -> None:
        self._finish(reply, None)

    def fail(self, error: Exception) -> None:
        """Does nothing to a request that is already answered."""
        self._finish(None, error)

    async def result(self) -> Reply:
        """Wait for the reply; a cancelled wait tells the thread to drop the request."""
        try:
            await self._done.wait()
        finally:
            self.cancelled = True
        if self._error is not None:
            raise self._error
        assert self._reply is not None
        return self._reply

    def _finish(self, reply: Reply | None, error: Exception | None) -> None:
        if self._reply is not None or self._error is not None:
            return
        self._reply, self._error = reply, error
        try:
            self._trio.run_sync_soon(self._done.set)
        except trio.RunFinishedError:
            self.cancelled = True


PendingGenerate: TypeAlias = PendingRequest[Generate, Generated]


class SequenceGroup:
    """A `Generate` request with its sequences, one per sample; `cached` prompt tokens came from
    the prefix cache."""

    def __init__(self, pending: PendingGenerate, stops: StopRule) -> None:
        request = pending.request
        self.pending = pending
        self.stops = stops
        self.prompt = tuple(request.prompt)
        self.sampling = request.sampling
        self.cached = 0
        self.sequences = [
            Sequence(self, stream_key(request.seed, index)) for index in range(request.n)
        ]

    def reply(self) -> Generated | None:
        """The reply, once every sample has ended."""
        samples = [s.sample for s in self.sequences if s.sample is not None]
        if len(samples) < len(self.sequences):
            return None
        model, seconds = self.pending.request.model, self.pending.seconds
        return Generated(model, samples, len(self.prompt), self.cached, seconds)


@dataclass(eq=False)
class Sequence:
    """One sample while it is decoded: its tokens so far, and the sample once it has ended."""

    group: SequenceGroup
    key: int
    tokens: list[int] = field(default_factory=list)
    sample: Sample | None = None

    def end(self, finish: Finish, decode: Decode) -> None:
        """Close the sample; an end-of-text token is dropped."""
        tokens = self.tokens[:-1] if finish == "eos" else self.tokens
        self.sample = Sample(tokens, decode(tokens), finish)
