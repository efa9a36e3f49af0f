"""The ZAP authenticator: a trio task that accepts or refuses CURVE keys (ZeroMQ RFC 27).

Without one, a CURVE server admits every key, or none if its domain is enforced.
"""

import zmq
from zmq.utils import z85

from rstar_async.wire.keys import BrokerKeys
from rstar_async.wire.socket import Socket


class ZapAuthenticator:
    """Answers libzmq's authentication requests for all sockets of one context.

    Construct it before those sockets bind, so that no peer is refused at the start.
    """

    def __init__(self, context: zmq.SyncContext, keys: BrokerKeys) -> None:
        raw: zmq.SyncSocket = context.socket(zmq.REP)
        raw.linger = 0
        raw.bind("inproc://zeromq.zap.01")
        self._socket = Socket(raw)
        self._keys = keys

    async def run(self) -> None:
        """Answer until cancelled, then close."""
        try:
            while True:
                for request, _ in await self._socket.receive(limit=1):
                    self._socket.send(self._answer(request))
        finally:
            self._socket.close()

    def _answer(self, frames: list[bytes]) -> list[bytes]:
        version, request, domain, _address, _identity, mechanism, *credentials = frames
        name = None
        if mechanism == b"CURVE" and len(credentials) == 1:
            name = self._keys.name_of(domain.decode(), z85.encode(credentials[0]))
        if name is None:
            return [version, request, b"400", b"unknown key", b"", b""]
        return [version, request, b"200", b"OK", name.encode(), b""]
