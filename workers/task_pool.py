"""Tasks that are used again: to wake one costs a third of what it costs to start one."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class TaskPool(Generic[T]):
    """Calls `work` with every item, with all of them at once, in tasks of `nursery`.

    A task that has done its item goes on with one that nobody has begun, else it rests until there
    is one. Each task that begins an item wakes the next if more are waiting; so items that take no
    time are done by one task, and those that wait for something do not wait for each other. `work`
    must end each item by itself: what it raises ends the nursery.
    """

    def __init__(self, nursery: trio.Nursery, work: Callable[[T], Awaitable[None]]) -> None:
        self._nursery, self._work = nursery, work
        self._items: deque[T] = deque()
        self._resting: list[trio.lowlevel.Task] = []
        self._is_waking = False

    def start(self, item: T) -> None:
        """Begin the item soon; returns at once."""
        self._items.append(item)
        self._wake_one()

    def _wake_one(self) -> None:
        if self._is_waking:
            return
        self._is_waking = True
        if self._resting:
            trio.lowlevel.reschedule(self._resting.pop())
        else:
            self._nursery.start_soon(self._serve)

    async def _serve(self) -> None:
        while True:
            self._is_waking = False
            while self._items:
                item = self._items.popleft()
                if self._items:
                    self._wake_one()
                await self._work(item)
            await self._rest()

    async def _rest(self) -> None:
        task = trio.lowlevel.current_task()

        def stop_resting(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._resting.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        self._resting.append(task)
        await trio.lowlevel.wait_task_rescheduled(stop_resting)
