"""One request on its way from a trio task to the torch thread and back."""

import time
from typing import Generic, TypeVar

import trio

from rstar_async.wire.payloads import Generate, Score

Request = TypeVar("Request", bound=Generate | Score)
Reply = TypeVar("Reply")


class Work(Generic[Request, Reply]):
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
