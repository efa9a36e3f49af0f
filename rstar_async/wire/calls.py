"""One submitted job at the client: its request, when to send it again, its outcome."""

import random
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import msgspec
import trio

from rstar_async.errors import JobFailed
from rstar_async.wire.codec import Malformed, read_payload
from rstar_async.wire.messages import Submit
from rstar_async.wire.replies import BadReply, DoubtfulReply
from rstar_async.wire.sizes import BODY_BYTES

FIRST_RESEND_SECONDS = 2.0
LAST_RESEND_SECONDS = 30.0
# A broker gives a job up earlier. One that does not understand that a result is refused never does.
MOST_REFUSALS = 50
FAULT_CHARACTERS = 1000

T = TypeVar("T")

# Reads a result's body; raises `Malformed` or `BadReply` if it is no answer to the request.
Read: TypeAlias = Callable[[bytes], Any]


class Answer(msgspec.Struct, frozen=True):
    """A job's result, and the worker, attempt and seconds it took; `value` is the body as read."""

    body: bytes
    worker: str
    attempt: int
    seconds: float
    value: Any = None


class Fault(msgspec.Struct, frozen=True):
    """Why a result is refused. `blame`: no honest worker says such a thing."""

    reason: str
    blame: bool = True


def reader(reply: type[T], check: Callable[[T], None]) -> Callable[[bytes], T]:
    """Makes a payload of a body; `check` raises `BadReply` for one that is no answer."""

    def read(body: bytes) -> T:
        try:
            value = read_payload(body, reply)
        except Malformed as error:
            raise Malformed(f"no {reply.__name__}: {error}") from error
        try:
            check(value)
        except DoubtfulReply as doubt:
            doubt.value = value
            raise
        return value

    return read


class Statistics(msgspec.Struct):
    """Counts of a pool client since it was opened; `waiting` is the number at this moment.

    `refused` are results that were no answers, so that their jobs were done again. `duplicates` are
    endings of jobs that no ask waited for (any more); they were dropped.
    """

    waiting: int = 0
    asked: int = 0
    answered: int = 0
    failed: int = 0
    refused: int = 0
    resent: int = 0
    duplicates: int = 0
    welcomes: int = 0


class Call:
    """One job in this process: `waiters` tasks wait until `outcome` is set."""

    def __init__(self, submit: Submit, body: bytes, read: Read) -> None:
        self.submit, self.body = submit, body
        self.waiters = 0
        self.refusals = 0
        self._read, self._is_doubted = read, False
        self.is_doubtful = False  # the answer is one that was doubted before
        self._pause = FIRST_RESEND_SECONDS
        self.resend_at = 0.0
        self.outcome: Answer | JobFailed | None = None
        self.ended = trio.Event()

    def schedule_resend(self) -> None:
        """Set the time of the next submit; the pauses double."""
        self.resend_at = trio.current_time() + self._pause * random.uniform(0.8, 1.2)
        self._pause = min(self._pause * 2, LAST_RESEND_SECONDS)

    def read(self, body: bytes) -> Any | Fault:
        """The value of a result with this body; a fault if it is to be refused.

        A doubtful one is refused once: the second is believed.
        """
        if len(body) > BODY_BYTES:
            return Fault(f"a result of {len(body)} bytes exceeds {BODY_BYTES}")
        try:
            return self._read(body)
        except DoubtfulReply as doubt:
            if self._is_doubted:
                self.is_doubtful = True
                return doubt.value
            self._is_doubted = True
            return Fault(str(doubt)[:FAULT_CHARACTERS], blame=False)
        except (BadReply, Malformed) as error:
            return Fault(str(error)[:FAULT_CHARACTERS] or type(error).__name__)

    def end(self, outcome: Answer | JobFailed) -> None:
        """Set the outcome, unless there is one."""
        if self.outcome is None:
            self.outcome = outcome
            self.ended.set()

    def answer(self) -> Answer:
        """Return the answer or raise the failure of a call that has ended."""
        assert self.outcome is not None
        if isinstance(self.outcome, JobFailed):
            raise JobFailed(self.outcome.kind, self.outcome.detail)
        return self.outcome
