"""The doorkeeper: a trio task that decides whose CURVE key may enter (ZAP, ZeroMQ RFC 27).

A CURVE server without one admits every key; with an enforced domain and no doorkeeper, none.
"""

import zmq
from zmq.utils import z85

from rstar_async.wire.keys import BrokerKeys
from rstar_async.wire.socket import Socket


class ZapAuthenticator:
    """Answers libzmq's question "may this key in?" for all sockets of one context.

    Construct it before those sockets bind, so that nobody is turned away at the start.
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
                for question, _ in await self._socket.receive(limit=1):
                    self._socket.send(self._answer(question))
        finally:
            self._socket.close()

    def _answer(self, question: list[bytes]) -> list[bytes]:
        version, request, domain, _address, _identity, mechanism, *credentials = question
        name = None
        if mechanism == b"CURVE" and len(credentials) == 1:
            name = self._keys.name_of(domain.decode(), z85.encode(credentials[0]))
        if name is None:
            return [version, request, b"400", b"unknown key", b"", b""]
        return [version, request, b"200", b"OK", name.encode(), b""]
