"""One lasting conversation with a broker, whatever happens to the broker.

Clients and workers alike say Hello, beat, listen for life, and begin anew on a fresh socket when
there is none. A `Connection` keeps that up and tells its `Handler` two things: that it was
welcomed, and what it heard. Nothing is sent before the welcome: a handler must be able to say
everything again.

What is said in one turn of the loop leaves in one envelope at its end, or as soon as it fills one.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import trio

from rstar_async.errors import BrokerLost
from rstar_async.wire.codec import (
    MOST_MESSAGES,
    Decode,
    Malformed,
    Message,
    envelopes,
    frames_of,
)
from rstar_async.wire.messages import BrokerBeat, Header, Refused, Welcome, WhoAreYou
from rstar_async.wire.socket import Received, Socket

log = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
HELLO_SECONDS = 1.0
ENVELOPES = 4  # heard together, so that what they lead to is under way while the rest is heard

Heard = TypeVar("Heard")
HeardContra = TypeVar("HeardContra", contravariant=True)


class Handler(Protocol[HeardContra]):
    """Who talks over a link. None of these may block; `heard` is called once per message."""

    def hello(self) -> Header: ...
    def beat(self) -> Header: ...
    def welcomed(self, welcome: Welcome) -> None: ...
    def heard(self, message: HeardContra, body: bytes) -> None: ...


class Connection(Generic[Heard]):
    """Keeps `speaker` in conversation with the broker at `endpoint` until cancelled.

    Raises `BrokerLost` only if the broker refuses us; an absent broker is waited for.
    """

    def __init__(
        self,
        endpoint: str,
        speaker: Handler[Heard],
        connect: Callable[[], Socket],
        decode: Decode[Heard],
    ) -> None:
        self._endpoint, self._speaker = endpoint, speaker
        self._connect, self._decode = connect, decode
        self._socket: Socket | None = None
        self._is_welcome = trio.Event()
        self._outbox: list[Message] = []
        self._has_mail = trio.Event()
        self._epoch = b""
        self._is_noted = False
        self.heard_at = 0.0
        self._beat_seconds = HELLO_SECONDS

    async def run(self) -> None:
        """Talk until cancelled. The first socket is opened at once, so a bad endpoint shows."""
        pauses = backoff()
        async with trio.open_nursery() as nursery:
            self._open()
            nursery.start_soon(self._keep_beating)
            nursery.start_soon(self._keep_posting)
            try:
                while True:
                    await self._listen_until_silent()
                    if self._is_welcome.is_set():
                        pauses = backoff()
                    self._note_silence()
                    self._close()
                    await trio.sleep(next(pauses))
                    self._open()
            finally:
                self._post()
                self._close()

    def send(self, message: Header, body: bytes = b"") -> bool:
        """Send soon, if the broker knows us; False means that it must be said after the welcome."""
        if not self._is_welcome.is_set():
            return False
        self._outbox.append((message, body))
        if len(self._outbox) == MOST_MESSAGES:
            self._post()
        else:
            self._has_mail.set()
        return True

    async def wait_welcome(self) -> None:
        """Return once the broker knows us."""
        await self._is_welcome.wait()

    def _open(self) -> None:
        self._socket = self._connect()
        self._say_hello()

    def _close(self) -> None:
        self._is_welcome = _closed(self._is_welcome)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say_hello(self) -> None:
        self._is_welcome = _closed(self._is_welcome)
        self._outbox.clear()
        self._transmit([(self._speaker.hello(), b"")])

    def _transmit(self, parcels: Sequence[Message]) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(frames_of(*parcels))
        except trio.WouldBlock:
            return False
        return True

    def _post(self) -> None:
        """Send what has been said since the last time; keep it while the queue is full."""
        if not self._is_welcome.is_set():
            return
        said, self._outbox = self._outbox, []
        for bundle in envelopes(said):
            if self._outbox or not self._transmit(bundle):
                self._outbox.extend(bundle)

    async def _keep_posting(self) -> None:
        while True:
            await self._has_mail.wait()
            self._has_mail = trio.Event()
            self._post()

    async def _keep_beating(self) -> None:
        while True:
            await trio.sleep(self._beat_seconds)
            if self._is_welcome.is_set():
                self._outbox.append((self._speaker.beat(), b""))
                self._post()
            else:
                self._say_hello()

    async def _listen_until_silent(self) -> None:
        assert self._socket is not None
        while True:
            messages: list[Received] = []
            with trio.move_on_after(SILENCE_SECONDS):
                messages = await self._socket.receive(ENVELOPES)
            # After a stall of our own the timeout and the broker's beats are both there: look.
            messages = messages or self._socket.receive_nowait()
            if not messages:
                return
            self.heard_at = trio.current_time()
            for frames, _ in messages:
                self._hear_all(frames)

    def _note_silence(self) -> None:
        if not self._is_noted:
            log.warning("no word from the broker", extra={"endpoint": self._endpoint})
        self._is_noted = True

    def _hear_all(self, frames: list[bytes]) -> None:
        try:
            parcels = self._decode(frames)
        except Malformed as error:
            log.warning("malformed message: %s", error, extra={"endpoint": self._endpoint})
            return
        for message, body in parcels:
            self._hear(message, body)

    def _hear(self, message: Heard, body: bytes) -> None:
        match message:
            case Welcome():
                self._be_welcomed(message)
            case WhoAreYou():
                self._start_anew()
            case BrokerBeat(epoch=epoch):
                if epoch != self._epoch:
                    self._start_anew()
            case Refused(reason=reason):
                raise BrokerLost(f"the broker at {self._endpoint} refused us: {reason}")
            case _:
                self._speaker.heard(message, body)

    def _be_welcomed(self, welcome: Welcome) -> None:
        if self._is_noted or self._epoch != welcome.epoch:
            log.info("welcomed", extra={"endpoint": self._endpoint, "epoch": welcome.epoch})
        self._is_noted = False
        self._epoch, self._beat_seconds = welcome.epoch, welcome.beat
        self._is_welcome.set()
        self._speaker.welcomed(welcome)

    def _start_anew(self) -> None:
        if self._is_welcome.is_set():  # one Hello answers any number of questions
            self._say_hello()


def _closed(event: trio.Event) -> trio.Event:
    return trio.Event() if event.is_set() else event


def backoff() -> Iterator[float]:
    """Seconds to wait before each new attempt: doubling up to five, jittered by half."""
    pause = 0.1
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(pause * 2, 5.0)
