"""Expansions of one tree that are in flight at the same time, returned in the order they began.

The order makes a search repeatable: whichever expansion is done first, the tree grows in the order
in which its nodes were selected, so a search that is repeated or resumed grows the same tree.
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
    """On exit, expansions that are still in flight are cancelled. Errors are raised unwrapped."""
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield InFlightExpansions(nursery, expand)
        except Exception as error:
            failure = error  # the nursery would wrap it in a group
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


class InFlightExpansions:
    """Made by `open_in_flight`."""

    def __init__(self, nursery: trio.Nursery, expand: Expand) -> None:
        self._nursery = nursery
        self._expand = expand
        self._in_flight: deque[_Expansion] = deque()

    def __len__(self) -> int:
        return len(self._in_flight)

    def begin(self, nodes: Iterable[TreeNode]) -> None:
        """Start to expand `nodes`, behind those already in flight."""
        for node in nodes:
            expansion = _Expansion(node)
            self._in_flight.append(expansion)
            self._nursery.start_soon(expansion.run, self._expand)

    async def oldest(self, seconds: float = inf) -> tuple[TreeNode, ExpansionResult] | None:
        """Wait for the oldest expansion and remove it; None if that takes longer than `seconds`.

        Raises what that expansion raised; the error of a younger one is raised in its turn.
        """
        with trio.move_on_after(seconds):
            expansion = self._in_flight[0]
            await expansion.done.wait()
            self._in_flight.popleft()
            return expansion.node, expansion.result()
        return None


class _Expansion:
    """One expansion in flight."""

    def __init__(self, node: TreeNode) -> None:
        self.node = node
        self.done = trio.Event()
        self._result: ExpansionResult | None = None
        self._failure: Exception | None = None

    async def run(self, expand: Expand) -> None:
        try:
            self._result = await expand(self.node)
        except Exception as error:
            self._failure = error
        self.done.set()

    def result(self) -> ExpansionResult:
        if self._failure is not None:
            raise self._failure
        assert self._result is not None
        return self._result
