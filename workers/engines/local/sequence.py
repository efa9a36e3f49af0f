"""A request in the making and its samples."""

import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

from rstar_async.wire.payloads import Generate, Generated, Sample, Score
from workers.engines.local.sampler import row_key
from workers.engines.stops import Decode, Finish, StopRule

Request = TypeVar("Request", bound=Generate | Score)
Reply = TypeVar("Reply")


class PendingRequest(Generic[Request, Reply]):
    """Made by the asking task, answered or failed exactly once by the torch thread."""

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
        self._settle(reply, None)

    def fail(self, error: Exception) -> None:
        """Does nothing to work that is already answered."""
        self._settle(None, error)

    async def result(self) -> Reply:
        """Wait for the answer; a cancelled wait tells the thread to drop the work."""
        try:
            await self._done.wait()
        finally:
            self.cancelled = True
        if self._error is not None:
            raise self._error
        assert self._reply is not None
        return self._reply

    def _settle(self, reply: Reply | None, error: Exception | None) -> None:
        if self._reply is not None or self._error is not None:
            return
        self._reply, self._error = reply, error
        try:
            self._trio.run_sync_soon(self._done.set)
        except trio.RunFinishedError:
            self.cancelled = True


Asked = PendingRequest[Generate, Generated]


@dataclass(eq=False)
class Sequence:
    """One sample: its tokens so far, and what came of it."""

    job: "SequenceGroup"
    key: int
    tokens: list[int] = field(default_factory=list)
    sample: Sample | None = None

    def end(self, finish: Finish, decode: Decode) -> None:
        """Close the sample; the model's own end leaves no token behind."""
        tokens = self.tokens[:-1] if finish == "eos" else self.tokens
        self.sample = Sample(tokens, decode(tokens), finish)


class SequenceGroup:
    """A `Generate` request with its rows; `cached` prompt tokens came from the prefix cache."""

    def __init__(self, work: Asked, stops: StopRule) -> None:
        request = work.request
        self.work = work
        self.stops = stops
        self.prompt = tuple(request.prompt)
        self.sampling = request.sampling
        self.cached = 0
        self.rows = [Sequence(self, row_key(request.seed, index)) for index in range(request.n)]

    def reply(self) -> Generated | None:
        """The answer, once every sample has ended."""
        samples = [row.sample for row in self.rows if row.sample is not None]
        if len(samples) < len(self.rows):
            return None
        request = self.work.request
        return Generated(request.model, samples, len(self.prompt), self.cached, self.work.seconds)
