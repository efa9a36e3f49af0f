"""Messages that wait for the end of the broker's turn, so that each peer gets them together."""

import trio

from rstar_async.wire.codec import Parcel, bundles, frames_of
from rstar_async.wire.messages import Header
from rstar_async.wire.socket import Socket


class Outboxes:
    """One for each peer at one door."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._parcels: dict[bytes, list[Parcel]] = {}

    def put(self, peer: bytes, message: Header, body: bytes) -> None:
        if (parcels := self._parcels.get(peer)) is None:
            self._parcels[peer] = [(message, body)]
        else:
            parcels.append((message, body))

    def flush(self) -> list[tuple[bytes, Header]]:
        """Send everything; return what could not be sent, because its peer is gone or stalled."""
        waiting, self._parcels = self._parcels, {}
        unsent: list[tuple[bytes, Header]] = []
        for peer, parcels in waiting.items():
            for bundle in bundles(parcels):
                try:
                    self._socket.send([peer, *frames_of(*bundle)])
                except (trio.WouldBlock, trio.BrokenResourceError):
                    unsent += [(peer, message) for message, _ in bundle]
        return unsent
