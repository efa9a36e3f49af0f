"""Many tasks may use one version at a time; the next version is loaded when they are done.

Versions take turns in the order in which they were first asked for, so that no version waits for
ever and none is exchanged for a single request while others wait for the same one.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import trio

from rstar_async.engines.errors import ModelUnavailable

Serving = TypeVar("Serving")


class WaitingTasks:
    """The tasks that wait for one version. Once `admitted`, they count as users."""

    def __init__(self) -> None:
        self.count = 0
        self.decided = trio.Event()
        self.admitted = False
        self.refusal: ModelUnavailable | None = None


class VersionLock(Generic[Serving]):
    """`load(version)` makes a version the current one and returns what its users need. It may raise
    `ModelUnavailable`, which those users get; any other error ends `run`."""

    def __init__(self, load: Callable[[str], Awaitable[Serving]]) -> None:
        self._load = load
        self._current: tuple[str, Serving] | None = None
        self._is_valid = True
        self._users = 0
        self._queue: OrderedDict[str, WaitingTasks] = OrderedDict()
        self._changed = trio.Event()

    @property
    def version(self) -> str | None:
        return self._current[0] if self._current and self._is_valid else None

    @property
    def waiting(self) -> int:
        """How many tasks wait for their version."""
        return sum(tasks.count for tasks in self._queue.values())

    def invalidate(self) -> None:
        """It is unknown which version is loaded: load one for the next task in any case. Current
        users go on."""
        self._is_valid = False

    @asynccontextmanager
    async def use(self, version: str) -> AsyncIterator[Serving]:
        """Wait until `version` is the current one; it stays so while the block runs."""
        if version == self.version and not self._queue:
            self._users += 1
        else:
            await self._wait_for(version)
        assert self._current is not None
        try:
            yield self._current[1]
        finally:
            self._release()

    async def run(self) -> None:
        """Admit one version after the other, until cancelled."""
        while True:
            while self._users or not self._queue:
                self._changed = trio.Event()
                await self._changed.wait()
            version, tasks = next(iter(self._queue.items()))
            if tasks.count:
                await self._admit(version, tasks)
            if self._queue.get(version) is tasks:
                del self._queue[version]
            tasks.decided.set()

    async def _admit(self, version: str, tasks: WaitingTasks) -> None:
        if version != self.version:
            try:
                serving = await self._load(version)
            except ModelUnavailable as refusal:
                tasks.refusal = refusal
                return
            self._current, self._is_valid = (version, serving), True
        tasks.admitted = True
        self._users += tasks.count

    async def _wait_for(self, version: str) -> None:
        tasks = self._queue.setdefault(version, WaitingTasks())
        tasks.count += 1
        self._changed.set()
        try:
            await tasks.decided.wait()
        except trio.Cancelled:
            if tasks.admitted:
                self._release()
            raise
        finally:
            tasks.count -= 1
        if tasks.refusal is not None:
            raise tasks.refusal

    def _release(self) -> None:
        self._users -= 1
        self._changed.set()
