"""What is to be sent from one socket, collected peer by peer for the length of a turn."""

import trio

from rstar_async.wire.codec import Message, envelopes, frames_of
from rstar_async.wire.messages import Header
from rstar_async.wire.socket import Socket


class Outboxes:
    """One outbox for each peer of a socket."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._outboxes: dict[bytes, list[Message]] = {}

    def put(self, peer: bytes, header: Header, body: bytes) -> None:
        if (outbox := self._outboxes.get(peer)) is None:
            self._outboxes[peer] = [(header, body)]
        else:
            outbox.append((header, body))

    def flush(self) -> list[tuple[bytes, Header]]:
        """Send everything; return what could not be sent, because its peer is gone or stalled."""
        outboxes, self._outboxes = self._outboxes, {}
        unsent: list[tuple[bytes, Header]] = []
        for peer, messages in outboxes.items():
            for envelope in envelopes(messages):
                try:
                    self._socket.send([peer, *frames_of(*envelope)])
                except (trio.WouldBlock, trio.BrokenResourceError):
                    unsent += [(peer, header) for header, _ in envelope]
        return unsent
