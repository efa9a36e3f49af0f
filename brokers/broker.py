"""The broker process: two listening sockets and a clock around one `Dispatcher`.

What has arrived is handled together, and what it leads to is sent together, one envelope a peer:
under load dozens of messages share most of the cost of one. No peer can stop the loop: malformed
bytes are counted, logged once per peer and answered with `Refused`; what becomes of a peer that
cannot be reached is for the dispatcher to decide.
"""

import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import trio
import zmq

from brokers.dead_letters import write_letter
from brokers.dispatcher import Dispatcher
from brokers.effects import Effect, LogEvent, ToClient, ToWorker, WriteDeadLetter
from brokers.memory_guard import MemoryGuard
from brokers.metrics import BrokerMetrics
from brokers.outboxes import Outboxes
from brokers.state import BrokerConfig
from brokers.status_file import StatusFile
from rstar_async.wire.codec import Decode, Malformed, decode_from_client, decode_from_worker
from rstar_async.wire.keys import BrokerKeys, Domain, owns_name
from rstar_async.wire.messages import ClientHello, Finished, Refused, WorkerHello
from rstar_async.wire.socket import Received, Socket, open_broker
from rstar_async.wire.zap import ZapAuthenticator

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
STATUS_SECONDS = 1.0
ENVELOPES = 8  # handled together, so that others get their turn
WARNED_PEERS = 10_000

M_contra = TypeVar("M_contra", contravariant=True)
M = TypeVar("M")


Refuse = Callable[[float, bytes], None]


class MessageHandler(Protocol[M_contra]):
    """The dispatcher's method for one kind of peer."""

    def __call__(self, now: float, peer: bytes, message: M_contra, body: bytes, /) -> None: ...


@dataclass(frozen=True)
class Listener(Generic[M]):
    """One side of the broker: its socket, what its peers send, and who handles it."""

    domain: Domain
    socket: Socket
    decode: Decode[M]
    handle: MessageHandler[M]
    refuse: Refuse
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
        dead_letters: Path | None = None,
        status_file: Path | None = None,
        config: BrokerConfig | None = None,
    ) -> None:
        self._pool, self._dead_letters = pool, dead_letters
        config = config or BrokerConfig()
        self._dispatcher = Dispatcher(pool, secrets.token_bytes(8), trio.current_time(), config)
        self._metrics, self._status_file = BrokerMetrics(pool), StatusFile(status_file)
        self._warned: set[bytes] = set()
        with contextlib.ExitStack() as closing:
            context: zmq.SyncContext = zmq.Context()
            closing.callback(context.destroy, linger=0)
            self._authenticator = ZapAuthenticator(context, keys) if keys is not None else None

            def listen(
                endpoint: str,
                domain: Domain,
                decode: Decode[M],
                handle: MessageHandler[M],
                refuse: Refuse,
            ) -> Listener[M]:
                socket = open_broker(
                    context, endpoint, domain=domain, queue=4 * config.window, keys=keys
                )
                closing.callback(socket.close)
                return Listener(domain, socket, decode, handle, refuse, Outboxes(socket))

            dispatcher = self._dispatcher
            self._clients = listen(
                clients,
                "clients",
                decode_from_client,
                dispatcher.receive_from_client,
                dispatcher.refuse_client,
            )
            self._workers = listen(
                workers,
                "workers",
                decode_from_worker,
                dispatcher.receive_from_worker,
                dispatcher.refuse_worker,
            )
            self._guard = MemoryGuard(
                [self._clients.socket, self._workers.socket],
                dispatcher.held_bytes,
                dispatcher.count_peers,
            )
            self._closing = closing.pop_all()

    @property
    def endpoints(self) -> tuple[str, str]:
        """Where it really listens for clients and for workers."""
        return self._clients.socket.endpoint, self._workers.socket.endpoint

    async def run(self) -> None:
        """Serve until cancelled, then close both sockets."""
        clients, workers = self.endpoints
        log.info("broker up", extra={"pool": self._pool, "clients": clients, "workers": workers})
        with self._closing:
            async with trio.open_nursery() as nursery:
                if self._authenticator is not None:
                    nursery.start_soon(self._authenticator.run)
                nursery.start_soon(self._serve, self._clients)
                nursery.start_soon(self._serve, self._workers)
                nursery.start_soon(self._keep_time)
                nursery.start_soon(self._guard.run)
                nursery.start_soon(self._publish_status)

    async def _serve(self, listener: Listener[M]) -> None:
        while True:
            for received in await listener.socket.receive(ENVELOPES):
                self._receive(listener, received)
            self._perform(self._dispatcher.end_turn(trio.current_time()))

    async def _keep_time(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            self._perform(self._dispatcher.tick(trio.current_time()))

    async def _publish_status(self) -> None:
        while True:
            status = self._dispatcher.status(trio.current_time())
            self._metrics.show(status)
            self._status_file.write(status)
            await trio.sleep(STATUS_SECONDS)

    def _receive(self, listener: Listener[M], received: Received) -> None:
        peer, *frames = received.frames
        try:
            messages = listener.decode(frames)
            if received.user:
                _check_names(messages, received.user)
        except Malformed as error:
            self._refuse(listener, peer, str(error))
            return
        now = trio.current_time()
        for message, body in messages:
            listener.handle(now, peer, message, body)

    def _refuse(self, listener: Listener[M], peer: bytes, reason: str) -> None:
        listener.refuse(trio.current_time(), peer)
        if peer in self._warned:
            return
        if len(self._warned) >= WARNED_PEERS:
            self._warned.clear()
        self._warned.add(peer)
        log.warning("refused", extra={"side": listener.domain, "peer": peer, "reason": reason})
        listener.outboxes.put(peer, Refused(reason[:1000]), b"")

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToClient(peer, message, body):
                    self._clients.outboxes.put(peer, message, body)
                    if isinstance(message, Finished):
                        self._metrics.observe(message)
                case ToWorker(peer, message, body):
                    self._workers.outboxes.put(peer, message, body)
                case WriteDeadLetter():
                    self._write_dead_letter(effect)
                case LogEvent(event, facts, is_warning):
                    log.log(logging.WARNING if is_warning else logging.INFO, event, extra=facts)
        self._send()

    def _send(self) -> None:
        """Send what is ready. A client that cannot be reached will ask again."""
        self._clients.outboxes.flush()
        for peer, unsent in self._workers.outboxes.flush():
            self._dispatcher.lose_contact(trio.current_time(), peer, unsent)

    def _write_dead_letter(self, letter: WriteDeadLetter) -> None:
        if self._dead_letters is None:
            return
        try:
            file = write_letter(self._dead_letters, self._pool, letter)
        except OSError as error:
            facts = {"job": letter.submit.job, "reason": str(error)}
            log.error("dead letter not written", extra=facts)
        else:
            log.warning("dead letter written", extra={"file": str(file)})


def _check_names(messages: Sequence[tuple[object, bytes]], user: str) -> None:
    """With keys, a peer may only use names under the name of its key."""
    for message, _ in messages:
        if isinstance(message, ClientHello | WorkerHello) and not owns_name(user, message.name):
            raise Malformed(f"the key {user!r} may not speak as {message.name!r}")
