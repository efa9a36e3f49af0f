"""Messages to frames and back: the one place that meets malformed bytes.

What travels is an envelope: in its first frame a msgpack array of `[header, body]` pairs, so that
many small messages cost hardly more than one. A large body is nil there and follows in a frame of
its own, in order.

Whatever arrives, decoding either returns valid headers of the expected direction or raises
`Malformed`; nothing else ever comes out.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from rstar_async.wire.messages import (
    FromClient,
    FromWorker,
    Header,
    ToClientMessage,
    ToWorkerMessage,
)

MOST_MESSAGES = 128  # in one envelope: what is read from it is acted upon without a pause
INLINE_BYTES = 32 * 1024  # of a body that still travels between the headers
FRAME_BYTES = 8 * 1024 * 1024  # of an envelope's first frame: all inline, and some to spare

T = TypeVar("T")
Message = tuple[Header, bytes]


class Malformed(Exception):
    """These bytes are not a message."""


def frames_of(*parcels: Message) -> list[bytes]:
    """Return the frames of one envelope with these messages; at most `MOST_MESSAGES`."""
    if all(len(body) <= INLINE_BYTES for _, body in parcels):
        return [_encoder.encode(parcels)]
    inline = [(header, None if len(body) > INLINE_BYTES else body) for header, body in parcels]
    return [_encoder.encode(inline), *(body for _, body in parcels if len(body) > INLINE_BYTES)]


def envelopes(parcels: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Cut messages to one peer into what fits into envelopes, in order."""
    for start in range(0, len(parcels), MOST_MESSAGES):
        yield parcels[start : start + MOST_MESSAGES]


def read_payload(body: bytes, kind: type[T]) -> T:
    """Decode a job's body as one of the payload structs; raises `Malformed`."""
    return _read(body, msgspec.msgpack.Decoder(kind))


def _decoder_of(union: Any) -> Callable[[Sequence[bytes]], list[tuple[Any, bytes]]]:
    decoder = msgspec.msgpack.Decoder(list[tuple[union, bytes | None]])

    def decode(frames: Sequence[bytes]) -> list[tuple[Any, bytes]]:
        if not frames:
            raise Malformed("no frame where an envelope was expected")
        if len(frames[0]) > FRAME_BYTES:
            raise Malformed(f"an envelope of {len(frames[0])} bytes")
        parcels = _read(frames[0], decoder)
        if not 1 <= len(parcels) <= MOST_MESSAGES:
            raise Malformed(f"an envelope with {len(parcels)} messages")
        return _with_bodies(parcels, frames[1:])

    return decode


def _with_bodies(
    parcels: list[tuple[Any, bytes | None]], bodies: Sequence[bytes]
) -> list[tuple[Any, bytes]]:
    """Put the bodies that came in frames of their own where they belong."""
    absent = sum(body is None for _, body in parcels)
    if absent != len(bodies):
        raise Malformed(f"{len(bodies)} frames with bodies where {absent} were announced")
    coming = iter(bodies)
    return [(header, next(coming) if body is None else body) for header, body in parcels]


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
