"""Headers to bytes and back: the one place that meets malformed bytes.

Whatever arrives, decoding either returns a valid header of the expected direction or raises
`Malformed`; nothing else ever comes out.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from rstar_async.wire.messages import (
    FromClient,
    FromWorker,
    Header,
    ToClientMessage,
    ToWorkerMessage,
)

HEADER_BYTES = 256 * 1024  # a beat listing the 14 000 jobs of the fullest peer we can imagine

T = TypeVar("T")


class Malformed(Exception):
    """These bytes are not a message."""


def encode(header: Header) -> bytes:
    """Return the header as msgpack."""
    return _encoder.encode(header)


def frames_of(header: Header, body: bytes | None = None) -> list[bytes]:
    """Return the frames to send."""
    return [_encoder.encode(header)] if body is None else [_encoder.encode(header), body]


def read_payload(body: bytes, kind: type[T]) -> T:
    """Decode a job's body as one of the payload structs; raises `Malformed`."""
    return _read(body, msgspec.msgpack.Decoder(kind))


def _decoder_of(union: Any) -> Callable[[Sequence[bytes]], tuple[Any, bytes]]:
    decoder = msgspec.msgpack.Decoder(union)

    def decode(frames: Sequence[bytes]) -> tuple[Any, bytes]:
        if not 1 <= len(frames) <= 2:
            raise Malformed(f"{len(frames)} frames where a header and a body were expected")
        if len(frames[0]) > HEADER_BYTES:
            raise Malformed(f"a header of {len(frames[0])} bytes")
        return _read(frames[0], decoder), frames[1] if len(frames) == 2 else b""

    return decode


def _read(data: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from error


_encoder = msgspec.msgpack.Encoder()

Decode = Callable[[Sequence[bytes]], tuple[T, bytes]]
decode_from_client: Decode[FromClient] = _decoder_of(FromClient)
decode_from_worker: Decode[FromWorker] = _decoder_of(FromWorker)
decode_to_client: Decode[ToClientMessage] = _decoder_of(ToClientMessage)
decode_to_worker: Decode[ToWorkerMessage] = _decoder_of(ToWorkerMessage)
