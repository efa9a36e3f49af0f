"""The one thread that owns torch, and the door through which trio tasks reach it.

All model state lives in the thread. If it fails for any reason but a bad request or a bad model
folder, everything in flight and everything after gets `EngineFailed`: nobody waits for an engine
that is gone.
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
    """Runs `shelf.turn()` while there is work; sleeps otherwise."""

    def __init__(
        self, shelf: "ModelManager[Request, Reply]", name: str, threads: int | None
    ) -> None:
        self.shelf = shelf
        self.busy_seconds = 0.0
        self._threads = threads
        self._news = threading.Condition()
        self._inbox: deque[PendingRequest[Request, Reply]] = deque()
        self._open: dict[int, PendingRequest[Request, Reply]] = {}
        self._closing = False
        self._death: EngineFailed | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def in_flight(self) -> int:
        return len(self._open)

    def open(self) -> None:
        self._thread.start()

    async def close(self) -> None:
        """Stop after the step at hand; whatever is still waiting fails."""
        with self._news:
            self._closing = True
            self._news.notify()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    async def ask(self, request: Request) -> Reply:
        """Hand a request to the thread; cancelling the wait drops it there."""
        work: PendingRequest[Request, Reply] = PendingRequest(request)
        with self._news:
            if self._death is not None:
                raise EngineFailed(str(self._death)) from self._death
            self._open[id(work)] = work
            self._inbox.append(work)
            self._news.notify()
        try:
            return await work.result()
        finally:
            self._open.pop(id(work), None)

    def _run(self) -> None:
        import torch

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                while self._receive():
                    start = time.perf_counter()
                    self.shelf.turn()
                    self.busy_seconds += time.perf_counter() - start
            self._end(EngineFailed("the engine was closed"))
        except Exception as error:
            failure = EngineFailed(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            self._end(failure)
        finally:
            self.shelf.close()

    def _receive(self) -> bool:
        """Take in new work, sleeping if there is none at all; False when it is time to stop."""
        with self._news:
            while not (self._inbox or self.shelf.busy or self._closing):
                self._news.wait()
            while self._inbox:
                self.shelf.arrive(self._inbox.popleft())
            return not self._closing

    def _end(self, failure: EngineFailed) -> None:
        with self._news:
            self._death = failure
            orphans = list(self._open.values())
        for work in orphans:
            work.fail(failure)
