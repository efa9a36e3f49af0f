"""A lasting connection to a broker: it survives silence, restarts and broken sockets.

Clients and workers alike send Hello and beats, and reconnect with a new socket when the broker is
silent. A `Connection` does that and tells its `Handler` two things: that it was welcomed, and what
messages came. Nothing is sent before the welcome: a handler must be able to send everything again.

Messages sent in one turn of the loop leave in one envelope at its end, or as soon as they fill one.
An acknowledgement is no reason to send anything: it leaves with them, first.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import trio

from rstar_async.errors import BrokerLost
from rstar_async.wire.codec import Decode, Malformed, Message, envelopes, frames_of
from rstar_async.wire.memory import give_back, resident_bytes
from rstar_async.wire.messages import BrokerBeat, Header, Refused, Welcome, WhoAreYou
from rstar_async.wire.sizes import ENVELOPE_BYTES, MAX_MESSAGES
from rstar_async.wire.socket import Received, Socket

log = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
HELLO_SECONDS = 1.0
BOUND_SECONDS = 0.1
UNFINISHED_BYTES = 3 * ENVELOPE_BYTES
ENVELOPES = 4  # handled together, so that replies to them leave before the rest is read
FULL = MAX_MESSAGES - 1  # leaves room for the acknowledgement

Incoming = TypeVar("Incoming")
IncomingContra = TypeVar("IncomingContra", contravariant=True)


class Handler(Protocol[IncomingContra]):
    """The owner of a connection. None of these may block; `heard` is called once per message."""

    def hello(self) -> Header: ...
    def beat(self) -> Header: ...
    def welcomed(self, welcome: Welcome) -> None: ...
    def heard(self, message: IncomingContra, body: bytes) -> None: ...


class Connection(Generic[Incoming]):
    """Keeps `handler` connected to the broker at `endpoint` until cancelled.

    Raises `BrokerLost` only if the broker refuses us; an absent broker is waited for. Whenever
    messages leave, `acknowledge` is asked what there is to acknowledge.
    """

    def __init__(
        self,
        endpoint: str,
        handler: Handler[Incoming],
        connect: Callable[[], Socket],
        decode: Decode[Incoming],
        acknowledge: Callable[[], Header | None] = lambda: None,
    ) -> None:
        self._endpoint, self._handler = endpoint, handler
        self._connect, self._decode, self._acknowledge = connect, decode, acknowledge
        self._socket: Socket | None = None
        self._is_welcome = trio.Event()
        self._outbox: list[Message] = []
        self._has_outgoing = trio.Event()
        self._epoch = b""
        self._is_silence_logged = False
        self.heard_at = 0.0
        self._beat_seconds = HELLO_SECONDS

    async def run(self) -> None:
        """Serve until cancelled. The first socket is opened at once, so a bad endpoint shows."""
        pauses = backoff()
        async with trio.open_nursery() as nursery:
            self._open()
            nursery.start_soon(self._keep_beating)
            nursery.start_soon(self._keep_flushing)
            nursery.start_soon(self._keep_bounded)
            try:
                while True:
                    await self._listen_until_silent()
                    if self._is_welcome.is_set():
                        pauses = backoff()
                    self._log_silence()
                    self._close()
                    await trio.sleep(next(pauses))
                    self._open()
            finally:
                self._flush()
                self._close()

    def send(self, message: Header, body: bytes = b"") -> bool:
        """Send soon, if the broker knows us; False: the handler must send it after the welcome."""
        if not self._is_welcome.is_set():
            return False
        self._outbox.append((message, body))
        if len(self._outbox) == FULL:
            self._flush()
        else:
            self._has_outgoing.set()
        return True

    async def wait_welcome(self) -> None:
        """Return once the broker knows us."""
        await self._is_welcome.wait()

    def _open(self) -> None:
        self._socket = self._connect()
        self._send_hello()

    def _close(self) -> None:
        self._is_welcome = _cleared(self._is_welcome)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_hello(self) -> None:
        self._is_welcome = _cleared(self._is_welcome)
        self._outbox.clear()
        self._transmit([(self._handler.hello(), b"")])

    def _transmit(self, messages: Sequence[Message]) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(frames_of(*messages))
        except trio.WouldBlock:
            return False
        return True

    def _flush(self) -> None:
        """Send what is outgoing; keep it while the queue is full."""
        if not self._outbox or not self._is_welcome.is_set():
            return
        outgoing, self._outbox = self._outbox, []
        if (acknowledgement := self._acknowledge()) is not None:
            outgoing.insert(0, (acknowledgement, b""))
        for envelope in envelopes(outgoing):
            if self._outbox or not self._transmit(envelope):
                self._outbox.extend(envelope)

    async def _keep_flushing(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing = trio.Event()
            self._flush()

    async def _keep_beating(self) -> None:
        while True:
            await trio.sleep(self._beat_seconds)
            if self._is_welcome.is_set():
                self._outbox.append((self._handler.beat(), b""))
                self._flush()
            else:
                self._send_hello()

    async def _keep_bounded(self) -> None:
        """Cut the connection when more than a few whole messages have come since the last complete
        one: a message that does not end would fill the memory."""
        heard_at, bound = self.heard_at, 0
        while True:
            await trio.sleep(BOUND_SECONDS)
            resident = resident_bytes()
            if self.heard_at != heard_at or not bound:
                heard_at, bound = self.heard_at, resident + UNFINISHED_BYTES
            elif resident > bound and self._socket is not None and self._socket.is_being_sent_to:
                log.warning("a message without end", extra={"endpoint": self._endpoint})
                self._socket.cut_connections()
                give_back()
                bound = 0

    async def _listen_until_silent(self) -> None:
        assert self._socket is not None
        while True:
            with trio.move_on_after(SILENCE_SECONDS) as silence:
                while True:
                    self._receive_all(await self._socket.receive(ENVELOPES))
                    silence.deadline = self.heard_at + SILENCE_SECONDS
            # After a stall of our own the timeout and the broker's beats are both there: check.
            if not (messages := self._socket.receive_nowait(ENVELOPES)):
                return
            self._receive_all(messages)

    def _receive_all(self, messages: Sequence[Received]) -> None:
        self.heard_at = trio.current_time()
        for frames, _ in messages:
            self._receive(frames)

    def _log_silence(self) -> None:
        if not self._is_silence_logged:
            log.warning("no message from the broker", extra={"endpoint": self._endpoint})
        self._is_silence_logged = True

    def _receive(self, frames: list[bytes]) -> None:
        try:
            messages = self._decode(frames)
        except Malformed as error:
            facts = {"endpoint": self._endpoint, "reason": str(error)}
            log.warning("malformed message", extra=facts)
            return
        for message, body in messages:
            self._handle(message, body)

    def _handle(self, message: Incoming, body: bytes) -> None:
        match message:
            case Welcome():
                self._on_welcome(message)
            case WhoAreYou():
                self._say_hello_again()
            case BrokerBeat(epoch=epoch):
                if epoch != self._epoch:
                    self._say_hello_again()
            case Refused(reason=reason):
                raise BrokerLost(f"the broker at {self._endpoint} refused us: {reason}")
            case _:
                self._handler.heard(message, body)

    def _on_welcome(self, welcome: Welcome) -> None:
        if self._is_silence_logged or self._epoch != welcome.epoch:
            log.info("welcomed", extra={"endpoint": self._endpoint, "epoch": welcome.epoch})
        self._is_silence_logged = False
        self._epoch, self._beat_seconds = welcome.epoch, welcome.beat
        self._is_welcome.set()
        self._handler.welcomed(welcome)

    def _say_hello_again(self) -> None:
        if self._is_welcome.is_set():  # one Hello answers any number of WhoAreYou
            self._send_hello()


def _cleared(event: trio.Event) -> trio.Event:
    return trio.Event() if event.is_set() else event


def backoff() -> Iterator[float]:
    """Seconds to wait before each new attempt: doubling up to five, jittered by half."""
    pause = 0.1
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(pause * 2, 5.0)
