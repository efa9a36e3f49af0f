"""A ZeroMQ socket that a trio task can sleep on, and one constructor per kind of peer.

`zmq.FD` says only "EVENTS may have changed", and any call into libzmq can swallow that signal.
Two rules follow. The receiver looks at EVENTS, then sleeps, without a checkpoint in between. And
every send looks at EVENTS again on behalf of the sleeping receiver.

Sending never waits: declared capacity and windows keep each queue shorter than its high-water
mark, so a full queue means a stalled peer. (Awaiting POLLOUT on a mandatory ROUTER with one full
peer would spin without ever yielding.)

libzmq bounds each frame, but holds the frames of a message until its last one has come, without any
bound. So there are two more: a message with too many frames or bytes is thrown away while it is
read (`Received` is then empty), and `cut_connections` ends those that never come to their end.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import trio
import zmq

from rstar_async.errors import BadInput
from rstar_async.wire.endpoints import check_endpoint, claim_ipc_path, ipc_path, private_files
from rstar_async.wire.kernel_connections import cut_connections, has_unread_input
from rstar_async.wire.keys import BrokerKeys, Domain, PeerKeys
from rstar_async.wire.sizes import ENVELOPE_BYTES, ENVELOPE_FRAMES, LARGEST_FRAME

MESSAGE_BYTES = ENVELOPE_BYTES + 1024  # with the sender's address
# Plain numbers: pyzmq's enums cost as much as the calls when they are combined for every frame.
AT_ONCE, AT_ONCE_AND_MORE = int(zmq.DONTWAIT), int(zmq.DONTWAIT | zmq.SNDMORE)
MORE_FOLLOWS = int(zmq.RCVMORE)
LINGER_MILLISECONDS = 1000  # how long a closed peer's last messages may take to leave


class Received(NamedTuple):
    """The frames of one message and the name its CURVE key is known by ("" without keys).

    Of a message that is too large there is nothing but, at a ROUTER, its sender's address.
    """

    frames: list[bytes]
    user: str


class Socket:
    """One zmq socket on one trio thread; any task may send, one task at a time receives."""

    def __init__(self, raw: zmq.SyncSocket, *, lock: int | None = None) -> None:
        self._raw = raw
        self._fd = int(raw.get(zmq.FD))
        self._authenticated = bool(raw.get(zmq.CURVE_SERVER))
        self._is_router = raw.get(zmq.TYPE) == zmq.ROUTER
        self._lock = lock
        self._sleeping: trio.CancelScope | None = None

    @property
    def endpoint(self) -> str:
        """Where it is bound, with the real port, or what it is connected to."""
        return bytes(self._raw.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()

    def send(self, frames: Sequence[bytes]) -> None:
        """Queue one message without waiting.

        `WouldBlock`: the peer's queue is full. `BrokenResourceError`: a ROUTER has no such peer.
        """
        *before, last = frames
        try:
            for frame in before:
                self._raw.send(frame, AT_ONCE_AND_MORE)
            self._raw.send(last, AT_ONCE)
        except zmq.Again:
            raise trio.WouldBlock from None
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            raise trio.BrokenResourceError("no such peer") from None
        finally:
            if self._sleeping is not None and self._is_readable():
                self._sleeping.cancel()

    async def receive(self, limit: int = 64) -> list[Received]:
        """Return the messages that have arrived, at least one and at most `limit`.

        Atomic with respect to cancellation: a message is either returned or still queued.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if messages := self.receive_nowait(limit):
            await trio.lowlevel.cancel_shielded_checkpoint()
        while not messages:
            await self._sleep()
            messages = self.receive_nowait(limit)
        return messages

    def receive_nowait(self, limit: int = 64) -> list[Received]:
        """Return the messages that have arrived, perhaps none."""
        messages: list[Received] = []
        while len(messages) < limit and self._is_readable():
            messages.append(self._take())
        return messages

    def close(self) -> None:
        """Close at once; a sleeping receiver gets `ClosedResourceError`. Idempotent."""
        if self._raw.closed:
            return
        trio.lowlevel.notify_closing(self._fd)
        self._raw.close()
        if self._lock is not None:
            os.close(self._lock)

    def cut_connections(self) -> int:
        """Cut those of its connections that are sending, or all if none is; peers connect again.

        Returns how many were cut.
        """
        return cut_connections(self.endpoint, is_bound=self._is_router)

    @property
    def is_being_sent_to(self) -> bool:
        """Whether there is input that has not even been read as frames."""
        return has_unread_input(self.endpoint, is_bound=self._is_router)

    def _is_readable(self) -> bool:
        return bool(int(self._raw.get(zmq.EVENTS)) & zmq.POLLIN)

    def _take(self) -> Received:
        part, user = self._take_frame()
        frames, size = [part], len(part)
        while self._raw.get(MORE_FOLLOWS):
            part, user = self._take_frame()
            size += len(part)
            if size <= MESSAGE_BYTES and len(frames) < ENVELOPE_FRAMES:
                frames.append(part)
            else:
                size = MESSAGE_BYTES + 1  # whatever follows is dropped too
        return Received(frames if size <= MESSAGE_BYTES else frames[: self._is_router], user)

    def _take_frame(self) -> tuple[bytes, str]:
        if not self._authenticated:
            return self._raw.recv(AT_ONCE), ""
        frame = self._raw.recv(AT_ONCE, copy=False)
        return frame.bytes, str(frame.get("User-Id"))

    async def _sleep(self) -> None:
        """Sleep until EVENTS may have changed; call it right after they said "not readable"."""
        if self._sleeping is not None:
            raise trio.BusyResourceError("another task is already receiving on this socket")
        try:
            with trio.CancelScope() as self._sleeping:
                await trio.lowlevel.wait_readable(self._fd)
        finally:
            self._sleeping = None


def open_peer(endpoint: str, *, queue: int, keys: PeerKeys | None) -> Socket:
    """Return a client's or worker's socket, connecting to a broker that need not be up yet."""
    check_endpoint(endpoint, secured=keys is not None)
    raw = _new_socket(zmq.Context.instance(), zmq.DEALER, queue)
    raw.linger = LINGER_MILLISECONDS
    raw.set(zmq.RECONNECT_IVL, 100)
    raw.set(zmq.RECONNECT_IVL_MAX, 2000)
    if keys is not None:
        keys.secure(raw)
    try:
        raw.connect(endpoint)
    except zmq.ZMQError as error:
        raw.close()
        raise BadInput(f"cannot connect to {endpoint}: {error.strerror}") from None
    return Socket(raw)


def open_broker(
    context: zmq.SyncContext, endpoint: str, *, domain: Domain, queue: int, keys: BrokerKeys | None
) -> Socket:
    """Return one listening side of a broker; `BadInput` if the endpoint cannot be bound."""
    check_endpoint(endpoint, secured=keys is not None)
    path = ipc_path(endpoint)
    lock = None if path is None else claim_ipc_path(endpoint, path)
    raw = _new_socket(context, zmq.ROUTER, queue)
    raw.linger = 0
    raw.set(zmq.ROUTER_MANDATORY, 1)
    if keys is not None:
        keys.guard(raw, domain)
    try:
        with private_files():
            raw.bind(endpoint)
    except zmq.ZMQError as error:
        raw.close()
        if lock is not None:
            os.close(lock)
        raise BadInput(f"cannot listen on {endpoint}: {error.strerror}") from None
    return Socket(raw, lock=lock)


def _new_socket(context: zmq.SyncContext, kind: int, queue: int) -> zmq.SyncSocket:
    raw: zmq.SyncSocket = context.socket(kind)
    raw.set(zmq.SNDHWM, queue)
    raw.set(zmq.RCVHWM, queue)
    raw.set(zmq.MAXMSGSIZE, LARGEST_FRAME)
    raw.set(zmq.HEARTBEAT_IVL, 2000)
    raw.set(zmq.HEARTBEAT_TIMEOUT, 6000)
    raw.set(zmq.IPV6, 1)
    return raw
