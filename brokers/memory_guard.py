"""Bounds what peers can make a broker hold, and gives back what it no longer needs.

libzmq holds the frames of a message until the last one has come, and does not bound them together.
What it holds so is not shown, so the guard looks at the whole process: beyond what the jobs need,
it may grow by one whole message a peer and some to spare. If it grows further, the connections that
are sending are cut; libzmq then drops their incomplete messages. An honest peer connects again and
loses nothing.
"""

import logging
from collections.abc import Callable, Sequence

import trio

from rstar_async.wire.memory import give_back, resident_bytes, return_large_blocks
from rstar_async.wire.sizes import ENVELOPE_BYTES
from rstar_async.wire.socket import Socket

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
SETTLE_SECONDS = 0.25  # for libzmq to drop what the cut connections had sent
SPARE_BYTES = 2 * ENVELOPE_BYTES
COPIES = 3  # of a body: the broker's own, and what is on its way to worker and client
TRIM_BYTES = 4 * ENVELOPE_BYTES  # growth after which freed memory is asked back


def bound_of(base: int, held: int, peers: int) -> int:
    """The most bytes that the process may have resident: `base` without any jobs, `held` in the
    bodies and results of jobs, one whole message of each peer under way. Pure."""
    return base + COPIES * held + peers * ENVELOPE_BYTES + SPARE_BYTES


class MemoryGuard:
    """Watches the process that owns `sockets`; `held` and `peers` say what its jobs need now."""

    def __init__(
        self, sockets: Sequence[Socket], held: Callable[[], int], peers: Callable[[], int]
    ) -> None:
        self._sockets, self._held, self._peers = sockets, held, peers
        return_large_blocks()

    async def run(self) -> None:
        """Watch until cancelled."""
        base = least = resident_bytes()
        while True:
            await trio.sleep(LOOK_SECONDS)
            resident = resident_bytes()
            if resident > least + TRIM_BYTES:
                give_back()
                least = resident = resident_bytes()
            least = min(least, resident)
            if resident <= base + SPARE_BYTES:
                continue
            if resident > bound_of(base, self._held(), self._peers()):
                base = max(base, await self._cut(resident))

    async def _cut(self, resident: int) -> int:
        """Cut what is sending; the base from now on: what then remains is not the peers'."""
        cut = sum(socket.cut_connections() for socket in self._sockets)
        await trio.sleep(SETTLE_SECONDS)
        give_back()
        after = resident_bytes()
        facts = {"connections": cut, "mib_before": resident >> 20, "mib_after": after >> 20}
        log.warning("too much memory held by messages: connections cut", extra=facts)
        return after - COPIES * self._held() - self._peers() * ENVELOPE_BYTES - SPARE_BYTES
