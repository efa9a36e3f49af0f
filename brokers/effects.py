"""What the ledger wants done: values, carried out by the broker around it."""

from typing import TypeAlias

from msgspec import Struct

from rstar_async.wire.messages import Submit, ToClientMessage, ToWorkerMessage


class ToClient(Struct, frozen=True, gc=False):
    peer: bytes
    message: ToClientMessage
    body: bytes = b""


class ToWorker(Struct, frozen=True, gc=False):
    peer: bytes
    message: ToWorkerMessage
    body: bytes = b""


class WriteDeadLetter(Struct, frozen=True):
    """A job that killed its workers, to be kept for a human."""

    submit: Submit
    body: bytes
    deaths: int
    detail: str


class LogEvent(Struct, frozen=True):
    """A change of state worth a line in the log, with the facts to it."""

    event: str
    facts: dict[str, str | int]


Effect: TypeAlias = ToClient | ToWorker | WriteDeadLetter | LogEvent
