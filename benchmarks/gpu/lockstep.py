"""A pool with a barrier: no tree gets its candidates before all trees have theirs.

So do implementations that step all trees of a batch together; what a barrier costs is measured by
putting this one into an asynchronous search.
"""

from typing import Any

import trio


class Lockstep:
    """A `PoolClient` for `trees` trees, of which `in_flight` are searched at once."""

    def __init__(self, pool: Any, trees: int, in_flight: int) -> None:
        self._pool = pool
        self._trees, self._in_flight = trees, in_flight
        self._ended: set[str] = set()
        self._waiting = 0
        self._all_here = trio.Event()

    async def request(self, *values: Any, **options: Any) -> Any:
        """A reply of the pool, when every tree in flight has one."""
        reply = await self._pool.request(*values, **options)
        self._waiting += 1
        all_here = self._all_here
        self._release()
        await all_here.wait()
        return reply

    def cancel_group(self, group: str) -> None:
        """A tree that has ended is not waited for."""
        self._pool.cancel_group(group)
        self._ended.add(group)
        self._release()

    def _release(self) -> None:
        searched = min(self._in_flight, self._trees - len(self._ended))
        if self._waiting >= searched:
            self._waiting = 0
            self._all_here.set()
            self._all_here = trio.Event()
