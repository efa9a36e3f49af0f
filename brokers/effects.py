"""What the dispatcher wants done: values, carried out by the broker around it."""

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
    """A job that killed its workers, to be kept for a person to look at."""

    submit: Submit
    body: bytes
    deaths: int
    detail: str


class LogEvent(Struct, frozen=True):
    """A change of state worth a line in the log, with its facts."""

    event: str
    facts: dict[str, str | int]
    is_warning: bool = False


Effect: TypeAlias = ToClient | ToWorker | WriteDeadLetter | LogEvent


class EffectQueue:
    """The effects of the turn under way, in the order in which they arose."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def to_client(self, peer: bytes, message: ToClientMessage, body: bytes = b"") -> None:
        self._effects.append(ToClient(peer, message, body))

    def to_worker(self, peer: bytes, message: ToWorkerMessage, body: bytes = b"") -> None:
        self._effects.append(ToWorker(peer, message, body))

    def write_dead_letter(self, letter: WriteDeadLetter) -> None:
        self._effects.append(letter)

    def log(self, event: str, **facts: str | int) -> None:
        self._effects.append(LogEvent(event, facts))

    def warn(self, event: str, **facts: str | int) -> None:
        self._effects.append(LogEvent(event, facts, is_warning=True))

    def take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects
