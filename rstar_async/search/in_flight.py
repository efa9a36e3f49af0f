"""Expansions of one tree that are under way at the same time, taken in the order they began.

The order makes a search repeatable: whichever expansion comes back first, the tree grows in the
order in which its nodes were selected, so that a search run again, or resumed, grows the same tree.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from math import inf
from typing import TypeAlias

import trio

from rstar_async.search.expansion import ExpansionResult
from rstar_async.search.tree import TreeNode

Expand: TypeAlias = Callable[[TreeNode], Awaitable[ExpansionResult]]


@asynccontextmanager
async def open_in_flight(expand: Expand) -> AsyncIterator["InFlightExpansions"]:
    """What is still under way when the block is left is cancelled. An error leaves it as it is."""
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield InFlightExpansions(nursery, expand)
        except Exception as error:
            failure = error  # raised outside of the nursery, which would wrap it in a group
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


class InFlightExpansions:
    """Made by `open_in_flight`."""

    def __init__(self, nursery: trio.Nursery, expand: Expand) -> None:
        self._nursery = nursery
        self._expand = expand
        self._under_way: deque[_Expansion] = deque()

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, nodes: Iterable[TreeNode]) -> None:
        """Start to expand `nodes`, behind all that is under way."""
        for node in nodes:
            lane = _Expansion(node)
            self._under_way.append(lane)
            self._nursery.start_soon(lane.run, self._expand)

    async def first(self, seconds: float = inf) -> tuple[TreeNode, ExpansionResult] | None:
        """The oldest expansion, when it is done; None if that takes longer than `seconds`.

        Raises what its expansion raised; a younger one that failed earlier waits for its turn.
        """
        with trio.move_on_after(seconds):
            lane = self._under_way[0]
            await lane.done.wait()
            self._under_way.popleft()
            return lane.node, lane.result()
        return None


class _Expansion:
    """One expansion."""

    def __init__(self, node: TreeNode) -> None:
        self.node = node
        self.done = trio.Event()
        self._expanded: ExpansionResult | None = None
        self._failure: Exception | None = None

    async def run(self, expand: Expand) -> None:
        try:
            self._expanded = await expand(self.node)
        except Exception as error:
            self._failure = error
        self.done.set()

    def result(self) -> ExpansionResult:
        if self._failure is not None:
            raise self._failure
        assert self._expanded is not None
        return self._expanded
