"""Tasks that are used again: to wake one costs a third of what it costs to start one."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class TaskPool(Generic[T]):
    """Calls `work` with every item and a scope to cancel it by, with all of them at once, in tasks
    of `nursery`.

    A task that has done its item goes on with one that nobody has begun, else it rests until there
    is one. Each task that begins an item wakes the next if more are waiting; so items that take no
    time are done by one task, and those that wait for something do not wait for each other. What
    `work` raises ends the nursery, unless its scope was cancelled.

    A scope holds for one item, but the next gets the same one if it was not cancelled: to make one
    was a third of what a job cost a worker. `work` sets its deadline anew.
    """

    def __init__(
        self, nursery: trio.Nursery, work: Callable[[T, trio.CancelScope], Awaitable[None]]
    ) -> None:
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
        self._is_waking = False
        while True:
            with trio.CancelScope() as scope:
                await self._serve_within(scope)

    async def _serve_within(self, scope: trio.CancelScope) -> None:
        while not scope.cancel_called:
            if not self._items:
                await self._rest()
                continue
            item = self._items.popleft()
            if self._items:
                self._wake_one()
            await self._work(item, scope)

    async def _rest(self) -> None:
        task = trio.lowlevel.current_task()

        def stop_resting(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._resting.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        self._resting.append(task)
        await trio.lowlevel.wait_task_rescheduled(stop_resting)
        self._is_waking = False
