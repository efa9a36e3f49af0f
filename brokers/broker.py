"""The broker as a process sees it: two doors and a clock around one ledger.

What has arrived is handled together, and what it leads to is sent together, one envelope a peer:
under load most of a message's price is shared by dozens. No peer can stop the loop: bytes that are
no message are counted, logged once per peer and answered with `Refused`; a peer that cannot be
reached is the ledger's to judge.
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
from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, LogEvent, ToClient, ToWorker, WriteDeadLetter
from brokers.metrics import BrokerMetrics
from brokers.state import BrokerConfig
from brokers.status_file import StatusFile
from rstar_async.wire.codec import (
    Decode,
    Malformed,
    Message,
    decode_from_client,
    decode_from_worker,
    envelopes,
    frames_of,
)
from rstar_async.wire.keys import BrokerKeys, Domain, owns_name
from rstar_async.wire.messages import (
    ClientHello,
    Finished,
    Header,
    Refused,
    WorkerHello,
)
from rstar_async.wire.socket import Received, Socket, open_broker
from rstar_async.wire.zap import ZapAuthenticator


class Outboxes:
    """One for each peer at one door."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._parcels: dict[bytes, list[Message]] = {}

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
            for bundle in envelopes(parcels):
                try:
                    self._socket.send([peer, *frames_of(*bundle)])
                except (trio.WouldBlock, trio.BrokenResourceError):
                    unsent += [(peer, message) for message, _ in bundle]
        return unsent


log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
SHOW_SECONDS = 1.0
ENVELOPES = 8  # handled together, so that others get their turn
WARNED_PEERS = 10_000

M_contra = TypeVar("M_contra", contravariant=True)
M = TypeVar("M")


class Hear(Protocol[M_contra]):
    """The ledger's method for one kind of peer."""

    def __call__(self, now: float, peer: bytes, message: M_contra, body: bytes, /) -> None: ...


@dataclass(frozen=True)
class Listener(Generic[M]):
    """One side of the broker: who comes in here, what they say, who answers."""

    domain: Domain
    socket: Socket
    decode: Decode[M]
    hear: Hear[M]
    outboxes: Outboxes


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
        notice: Path | None = None,
        rules: BrokerConfig | None = None,
    ) -> None:
        self._pool, self._letters = pool, letters
        rules = rules or BrokerConfig()
        self._ledger = Dispatcher(pool, secrets.token_bytes(8), trio.current_time(), rules)
        self._gauges, self._notice = BrokerMetrics(pool), StatusFile(notice)
        self._warned: set[bytes] = set()
        with contextlib.ExitStack() as closing:
            context: zmq.SyncContext = zmq.Context()
            closing.callback(context.destroy, linger=0)
            self._doorkeeper = ZapAuthenticator(context, keys) if keys is not None else None

            def door(
                endpoint: str, domain: Domain, decode: Decode[M], hear: Hear[M]
            ) -> Listener[M]:
                socket = open_broker(
                    context, endpoint, domain=domain, queue=4 * rules.window, keys=keys
                )
                closing.callback(socket.close)
                return Listener(domain, socket, decode, hear, Outboxes(socket))

            ledger = self._ledger
            self._clients = door(clients, "clients", decode_from_client, ledger.hear_client)
            self._workers = door(workers, "workers", decode_from_worker, ledger.hear_worker)
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
                nursery.start_soon(self._keep_gauges)

    async def _attend(self, door: Listener[M]) -> None:
        while True:
            for received in await door.socket.receive(ENVELOPES):
                self._hear(door, received)
            self._perform(self._ledger.conclude(trio.current_time()))

    async def _keep_time(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            self._perform(self._ledger.tick(trio.current_time()))

    async def _keep_gauges(self) -> None:
        while True:
            status = self._ledger.status(trio.current_time())
            self._gauges.show(status)
            self._notice.post(status)
            await trio.sleep(SHOW_SECONDS)

    def _hear(self, door: Listener[M], received: Received) -> None:
        peer, *frames = received.frames
        try:
            parcels = door.decode(frames)
            if received.user:
                _check_names(parcels, received.user)
        except Malformed as error:
            self._turn_away(door, peer, str(error))
            return
        now = trio.current_time()
        for message, body in parcels:
            door.hear(now, peer, message, body)

    def _turn_away(self, door: Listener[M], peer: bytes, reason: str) -> None:
        self._ledger.count_malformed()
        if peer in self._warned:
            return
        if len(self._warned) >= WARNED_PEERS:
            self._warned.clear()
        self._warned.add(peer)
        log.warning("refused", extra={"door": door.domain, "peer": peer, "reason": reason})
        door.outboxes.put(peer, Refused(reason[:1000]), b"")

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(peer, message, body):
                    self._clients.outboxes.put(peer, message, body)
                    if isinstance(message, Finished):
                        self._gauges.time(message)
                case ToWorker(peer, message, body):
                    self._workers.outboxes.put(peer, message, body)
                case WriteDeadLetter():
                    self._keep_letter(effect)
                case LogEvent(event, facts):
                    log.info(event, extra=facts)
        self._deliver()

    def _deliver(self) -> None:
        """Send what is ready. A client that cannot be reached will ask again."""
        self._clients.outboxes.flush()
        for peer, unsent in self._workers.outboxes.flush():
            self._ledger.lose_contact(trio.current_time(), peer, unsent)

    def _keep_letter(self, letter: WriteDeadLetter) -> None:
        if self._letters is None:
            return
        try:
            file = write_letter(self._letters, self._pool, letter)
        except OSError as error:
            log.error("dead letter not kept: %s", error, extra={"job": letter.submit.job})
        else:
            log.warning("dead letter kept", extra={"file": str(file)})


def _check_names(parcels: Sequence[tuple[object, bytes]], user: str) -> None:
    """With keys, nobody speaks under another key's name."""
    for message, _ in parcels:
        if isinstance(message, ClientHello | WorkerHello) and not owns_name(user, message.name):
            raise Malformed(f"the key {user!r} may not speak as {message.name!r}")
