"""The broker as a process sees it: two doors and a clock around one ledger.

No peer can stop the loop: bytes that are no message are counted, logged once per peer and answered
with `Refused`; a peer that cannot be reached is the ledger's to judge.
"""

import contextlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import trio
import zmq

from brokers.dead_letters import write_letter
from brokers.effects import Effect, Letter, Note, ToClient, ToWorker
from brokers.ledger import Ledger
from brokers.metrics import Gauges
from brokers.records import Rules
from rstar_async.wire.codec import (
    Decode,
    Malformed,
    decode_from_client,
    decode_from_worker,
    frames_of,
)
from rstar_async.wire.doorkeeper import Doorkeeper
from rstar_async.wire.keys import BrokerKeys, Domain, owns_name
from rstar_async.wire.messages import (
    ClientHello,
    Finished,
    FromClient,
    FromWorker,
    Header,
    Refused,
    WorkerHello,
)
from rstar_async.wire.socket import Received, Socket, open_broker

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
WARNED_PEERS = 10_000

M_contra = TypeVar("M_contra", contravariant=True)
M = TypeVar("M")


class Handle(Protocol[M_contra]):
    """The ledger's method for one kind of peer."""

    def __call__(
        self, now: float, peer: bytes, message: M_contra, body: bytes, /
    ) -> list[Effect]: ...


@dataclass(frozen=True)
class Door(Generic[M]):
    """One side of the broker: who comes in here, what they say, who answers."""

    domain: Domain
    socket: Socket
    decode: Decode[M]
    handle: Handle[M]


class Broker:
    """Moves the jobs of one pool and understands none of them.

    Listens from construction on, so a taken endpoint shows at once; `run` serves until cancelled.
    """

    def __init__(
        self,
        pool: str,
        *,
        clients: str,
        workers: str,
        keys: BrokerKeys | None = None,
        letters: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._pool, self._letters = pool, letters
        rules = rules or Rules()
        self._ledger = Ledger(pool, secrets.token_bytes(8), trio.current_time(), rules)
        self._gauges = Gauges(pool)
        self._warned: set[bytes] = set()
        with contextlib.ExitStack() as closing:
            context: zmq.SyncContext = zmq.Context()
            closing.callback(context.destroy, linger=0)
            self._doorkeeper = Doorkeeper(context, keys) if keys is not None else None

            def listen(endpoint: str, domain: Domain) -> Socket:
                socket = open_broker(
                    context, endpoint, domain=domain, queue=4 * rules.window, keys=keys
                )
                closing.callback(socket.close)
                return socket

            self._clients: Door[FromClient] = Door(
                "clients",
                listen(clients, "clients"),
                decode_from_client,
                self._ledger.handle_client,
            )
            self._workers: Door[FromWorker] = Door(
                "workers",
                listen(workers, "workers"),
                decode_from_worker,
                self._ledger.handle_worker,
            )
            self._closing = closing.pop_all()

    @property
    def endpoints(self) -> tuple[str, str]:
        """Where clients and workers are really listened for."""
        return self._clients.socket.endpoint, self._workers.socket.endpoint

    async def run(self) -> None:
        """Serve until cancelled, then close both doors."""
        clients, workers = self.endpoints
        log.info("broker up", extra={"pool": self._pool, "clients": clients, "workers": workers})
        with self._closing:
            async with trio.open_nursery() as nursery:
                if self._doorkeeper is not None:
                    nursery.start_soon(self._doorkeeper.run)
                nursery.start_soon(self._attend, self._clients)
                nursery.start_soon(self._attend, self._workers)
                nursery.start_soon(self._keep_time)

    async def _attend(self, door: Door[M]) -> None:
        while True:
            for received in await door.socket.receive():
                self._perform(self._handle(door, received))

    async def _keep_time(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            self._perform(self._ledger.tick(trio.current_time()))
            self._gauges.show(self._ledger.status(trio.current_time()))

    def _handle(self, door: Door[M], received: Received) -> list[Effect]:
        peer, *frames = received.frames
        try:
            message, body = door.decode(frames)
            _check_name(message, received.user)
        except Malformed as error:
            self._turn_away(door, peer, str(error))
            return []
        return door.handle(trio.current_time(), peer, message, body)

    def _turn_away(self, door: Door[M], peer: bytes, reason: str) -> None:
        self._ledger.count_malformed()
        if peer in self._warned:
            return
        if len(self._warned) >= WARNED_PEERS:
            self._warned.clear()
        self._warned.add(peer)
        log.warning("refused", extra={"door": door.domain, "peer": peer, "reason": reason})
        self._send(door.socket, peer, Refused(reason[:1000]))

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(peer, message, body):
                    self._send(self._clients.socket, peer, message, body)
                    if isinstance(message, Finished):
                        self._gauges.time(message)
                case ToWorker(peer, message, body):
                    if not self._send(self._workers.socket, peer, message, body):
                        self._ledger.lose_contact(trio.current_time(), peer, message)
                case Letter():
                    self._keep_letter(effect)
                case Note(event, facts):
                    log.info(event, extra=facts)

    def _send(
        self, socket: Socket, peer: bytes, message: Header, body: bytes | None = None
    ) -> bool:
        try:
            socket.send([peer, *frames_of(message, body)])
        except (trio.WouldBlock, trio.BrokenResourceError):
            return False
        return True

    def _keep_letter(self, letter: Letter) -> None:
        if self._letters is None:
            return
        try:
            file = write_letter(self._letters, self._pool, letter)
        except OSError as error:
            log.error("dead letter not kept: %s", error, extra={"job": letter.submit.job})
        else:
            log.warning("dead letter kept", extra={"file": str(file)})


def _check_name(message: object, user: str) -> None:
    """With keys, nobody speaks under another key's name."""
    if not user or not isinstance(message, ClientHello | WorkerHello):
        return
    if not owns_name(user, message.name):
        raise Malformed(f"the key {user!r} may not speak as {message.name!r}")
