"""Messages to frames and back: the one place that handles malformed bytes.

Messages travel in envelopes: the first frame is a msgpack array of `[header, body]` pairs, so that
many small messages cost hardly more than one. A large body is nil there and follows in a frame of
its own, in order.

For any bytes, decoding either returns valid headers of the expected direction or raises
`Malformed`, and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from rstar_async.wire.messages import (
    FromClient,
    FromWorker,
    Header,
    ToClientMessage,
    ToWorkerMessage,
)
from rstar_async.wire.sizes import ENVELOPE_BODY_BYTES, FRAME_BYTES, INLINE_BYTES, MAX_MESSAGES

T = TypeVar("T")
Message = tuple[Header, bytes]


class Malformed(Exception):
    """These bytes are not a message."""


def frames_of(*messages: Message) -> list[bytes]:
    """Return the frames of one envelope with these messages; at most `MAX_MESSAGES`."""
    if max([len(body) for _, body in messages], default=0) <= INLINE_BYTES:
        return [_encoder.encode(messages)]
    inline = [(header, None if len(body) > INLINE_BYTES else body) for header, body in messages]
    return [_encoder.encode(inline), *(body for _, body in messages if len(body) > INLINE_BYTES)]


def envelopes(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Split messages to one peer into envelopes, in order, each within its number and bytes."""
    start = size = 0
    for end, (_, body) in enumerate(messages):
        size += len(body)
        if end - start == MAX_MESSAGES or (size > ENVELOPE_BODY_BYTES and end > start):
            yield messages[start:end]
            start, size = end, len(body)
    if start < len(messages):
        yield messages[start:]


def read_payload(body: bytes, kind: type[T]) -> T:
    """Decode a job's body as one of the payload structs; raises `Malformed`."""
    decoder: msgspec.msgpack.Decoder[T] = _payload_decoder(kind)  # type: ignore[arg-type]
    return _read(body, decoder)


@cache
def _payload_decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


def _decoder_of(union: Any) -> Callable[[Sequence[bytes]], list[tuple[Any, bytes]]]:
    decoder = msgspec.msgpack.Decoder(list[tuple[union, bytes | None]])

    def decode(frames: Sequence[bytes]) -> list[tuple[Any, bytes]]:
        if not frames:
            raise Malformed("no envelope, or one that is too large")
        if len(frames[0]) > FRAME_BYTES:
            raise Malformed(f"an envelope of {len(frames[0])} bytes")
        messages = _read(frames[0], decoder)
        if not 1 <= len(messages) <= MAX_MESSAGES:
            raise Malformed(f"an envelope with {len(messages)} messages")
        return _with_bodies(messages, frames[1:])

    return decode


def _with_bodies(
    messages: list[tuple[Any, bytes | None]], bodies: Sequence[bytes]
) -> list[tuple[Any, bytes]]:
    """Return the messages with the bodies that came in frames of their own."""
    expected = [body for _, body in messages].count(None)
    if expected != len(bodies):
        raise Malformed(f"{len(bodies)} frames with bodies where {expected} were announced")
    if not bodies:
        return cast("list[tuple[Any, bytes]]", messages)
    if (size := sum(map(len, bodies))) > ENVELOPE_BODY_BYTES:
        raise Malformed(f"{size} bytes of bodies in one envelope")
    remaining = iter(bodies)
    return [(header, next(remaining) if body is None else body) for header, body in messages]


def _read(data: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from error


_encoder = msgspec.msgpack.Encoder()

Decode = Callable[[Sequence[bytes]], list[tuple[T, bytes]]]
decode_from_client: Decode[FromClient] = _decoder_of(FromClient)
decode_from_worker: Decode[FromWorker] = _decoder_of(FromWorker)
decode_to_client: Decode[ToClientMessage] = _decoder_of(ToClientMessage)
decode_to_worker: Decode[ToWorkerMessage] = _decoder_of(ToWorkerMessage)
