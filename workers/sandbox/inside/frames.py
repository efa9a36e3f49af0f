"""The messages between the worker and a node, as bytes; both sides read this file.

Plain structs, packed by C code that holds no reference to anything that a program can change.
"""

import builtins
import struct
from collections.abc import Sequence
from typing import NamedTuple

__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

HELLO, REFUSED = b"hello", b"refused"
KIND_CHARACTERS = 200  # of the name of an exception's type
EXIT = struct.Struct("=iidq")  # pid, wait status, CPU seconds, peak KiB
NONCE_BYTES = 16
_REQUEST = struct.Struct("=16siqII")
_REPORT = struct.Struct("=16sBBiiII")
_LENGTH = struct.Struct("=I")
_pack_report, _unpack_request, _unpack_length = _REPORT.pack, _REQUEST.unpack, _LENGTH.unpack


class Request(NamedTuple):
    """Run `steps`, number `first` and following; answer with `nonce` in front."""

    nonce: bytes
    first: int
    memory: int  # bytes
    value: int  # characters
    steps: list[str]


class Report(NamedTuple):
    """How the steps ended. `text` is the last step's value, or the message of an exception."""

    ok: bool
    ended: bool  # by exit()
    step: int
    line: int
    kind: str
    text: str


def pack_request(nonce: bytes, first: int, memory: int, value: int, steps: Sequence[str]) -> bytes:
    """Any text can be a source: lone surrogates and NULs arrive unchanged."""
    sources = [step.encode("utf-8", "surrogatepass") for step in steps]
    parts = [_LENGTH.pack(len(source)) + source for source in sources]
    return b"".join([_REQUEST.pack(nonce, first, memory, value, len(parts)), *parts])


def unpack_request(data: bytes) -> Request:
    """The inverse of `pack_request`."""
    nonce, first, memory, value, count = _unpack_request(data[: _REQUEST.size])
    steps, start = [], _REQUEST.size
    for _ in range(count):
        start += 4
        end = start + _unpack_length(data[start - 4 : start])[0]
        steps.append(data[start:end].decode("utf-8", "surrogatepass"))
        start = end
    return Request(nonce, first, memory, value, steps)


def pack_report(nonce: bytes, report: Report) -> bytes:
    """Text must be encodable."""
    kind, text = report.kind.encode(), report.text.encode()
    place = (report.step, report.line, len(kind), len(text))
    return _pack_report(nonce, report.ok, report.ended, *place) + kind + text


def unpack_report(nonce: bytes, data: bytes) -> Report | None:
    """None unless it is well formed and begins with the nonce: a program may have written it."""
    try:
        given, ok, ended, step, line, *lengths = _REPORT.unpack(data[: _REPORT.size])
        middle = _REPORT.size + lengths[0]
        kind, text = data[_REPORT.size : middle].decode(), data[middle:].decode()
    except (struct.error, UnicodeDecodeError):
        return None
    if given != nonce or middle + lengths[1] != len(data) or ok > 1 or ended > 1:
        return None
    return Report(ok == 1, ended == 1, step, line, kind, text)
