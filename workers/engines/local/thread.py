"""The one thread that owns torch, and how trio tasks reach it.

All model state lives in the thread. If it fails for any reason but a bad request or a bad model
folder, every request in flight and every later one gets `EngineFailed`.
"""

import threading
import time
from collections import deque
from typing import Generic

import trio

from rstar_async.engines.errors import EngineFailed
from workers.engines.local.sequence import PendingRequest, Reply, Request
from workers.engines.local.versions import ModelManager


class TorchThread(Generic[Request, Reply]):
    """Runs `models.step()` while there is work; sleeps otherwise."""

    def __init__(
        self, models: "ModelManager[Request, Reply]", name: str, threads: int | None
    ) -> None:
        self.models = models
        self.busy_seconds = 0.0
        self._threads = threads
        self._wakeup = threading.Condition()
        self._inbox: deque[PendingRequest[Request, Reply]] = deque()
        self._in_flight: dict[int, PendingRequest[Request, Reply]] = {}
        self._closing = False
        self._failure: EngineFailed | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def open(self) -> None:
        self._thread.start()

    async def close(self) -> None:
        """Stop after the current step; whatever is still waiting fails."""
        with self._wakeup:
            self._closing = True
            self._wakeup.notify()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    async def request(self, request: Request) -> Reply:
        """Hand a request to the thread and wait for its reply; cancelling the wait drops it."""
        pending: PendingRequest[Request, Reply] = PendingRequest(request)
        with self._wakeup:
            if self._failure is not None:
                raise EngineFailed(str(self._failure)) from self._failure
            self._in_flight[id(pending)] = pending
            self._inbox.append(pending)
            self._wakeup.notify()
        try:
            return await pending.result()
        finally:
            self._in_flight.pop(id(pending), None)

    def _run(self) -> None:
        import torch

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                while self._receive():
                    start = time.perf_counter()
                    self.models.step()
                    self.busy_seconds += time.perf_counter() - start
            self._fail_all(EngineFailed("the engine was closed"))
        except Exception as error:
            failure = EngineFailed(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            self._fail_all(failure)
        finally:
            self.models.close()

    def _receive(self) -> bool:
        """Take in new requests, sleeping if there is no work at all; False when closing."""
        with self._wakeup:
            while not (self._inbox or self.models.busy or self._closing):
                self._wakeup.wait()
            while self._inbox:
                self.models.add(self._inbox.popleft())
            return not self._closing

    def _fail_all(self, failure: EngineFailed) -> None:
        with self._wakeup:
            self._failure = failure
            orphans = list(self._in_flight.values())
        for pending in orphans:
            pending.fail(failure)
