"""What the ledger wants done: values, carried out by the broker around it."""

from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.wire.messages import Submit, ToClientMessage, ToWorkerMessage


@dataclass(frozen=True, slots=True)
class ToClient:
    peer: bytes
    message: ToClientMessage
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class ToWorker:
    peer: bytes
    message: ToWorkerMessage
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A job that killed its workers, to be kept for a human."""

    submit: Submit
    body: bytes
    deaths: int
    detail: str


@dataclass(frozen=True, slots=True)
class Note:
    """A change of state worth a line in the log, with the facts to it."""

    event: str
    facts: dict[str, str | int]


Effect: TypeAlias = ToClient | ToWorker | Letter | Note
