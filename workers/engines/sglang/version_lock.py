"""Many tasks may use one version at a time; the next version gets its turn when they are done.

Turns come in the order in which versions were first asked for, so that no version waits for ever
and none is exchanged for a single request while others wait for the same one.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import trio

from rstar_async.engines.errors import ModelUnavailable

Serving = TypeVar("Serving")


class VersionLease:
    """The tasks that wait for one version. Once `admitted`, they count as users."""

    def __init__(self) -> None:
        self.waiting = 0
        self.over = trio.Event()
        self.admitted = False
        self.refusal: ModelUnavailable | None = None


class VersionLock(Generic[Serving]):
    """`change(version)` makes a version the current one and returns what its users need; it may
    raise `ModelUnavailable`, which its users get. Whatever else it raises ends `run`."""

    def __init__(self, change: Callable[[str], Awaitable[Serving]]) -> None:
        self._change = change
        self._current: tuple[str, Serving] | None = None
        self._forgotten = False
        self._users = 0
        self._turns: OrderedDict[str, VersionLease] = OrderedDict()
        self._news = trio.Event()

    @property
    def version(self) -> str | None:
        return self._current[0] if self._current and not self._forgotten else None

    @property
    def waiting(self) -> int:
        """How many tasks wait for their version."""
        return sum(turn.waiting for turn in self._turns.values())

    def forget(self) -> None:
        """Nobody knows any more which version is the current one: change for the next task in any
        case. Those who use it now go on.
        """
        self._forgotten = True

    @asynccontextmanager
    async def use(self, version: str) -> AsyncIterator[Serving]:
        """Wait for the version's turn, and keep others from theirs while the block runs."""
        if version == self.version and not self._turns:
            self._users += 1
        else:
            await self._wait_for_turn(version)
        assert self._current is not None
        try:
            yield self._current[1]
        finally:
            self._leave()

    async def run(self) -> None:
        """Give turns until cancelled."""
        while True:
            while self._users or not self._turns:
                self._news = trio.Event()
                await self._news.wait()
            version, turn = next(iter(self._turns.items()))
            if turn.waiting:
                await self._give(version, turn)
            if self._turns.get(version) is turn:
                del self._turns[version]
            turn.over.set()

    async def _give(self, version: str, turn: VersionLease) -> None:
        if version != self.version:
            try:
                serving = await self._change(version)
            except ModelUnavailable as refusal:
                turn.refusal = refusal
                return
            self._current, self._forgotten = (version, serving), False
        turn.admitted = True
        self._users += turn.waiting

    async def _wait_for_turn(self, version: str) -> None:
        turn = self._turns.setdefault(version, VersionLease())
        turn.waiting += 1
        self._news.set()
        try:
            await turn.over.wait()
        except trio.Cancelled:
            if turn.admitted:
                self._leave()
            raise
        finally:
            turn.waiting -= 1
        if turn.refusal is not None:
            raise turn.refusal

    def _leave(self) -> None:
        self._users -= 1
        self._news.set()
