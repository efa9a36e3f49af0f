"""One submitted job at the client: its request, when to send it again, its outcome."""

import random
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import trio

from rstar_async.errors import JobFailed
from rstar_async.wire.codec import Malformed
from rstar_async.wire.messages import Submit
from rstar_async.wire.replies import BadReply, DoubtfulReply
from rstar_async.wire.sizes import BODY_BYTES

FIRST_RESEND_SECONDS = 2.0
LAST_RESEND_SECONDS = 30.0
# A broker gives a job up earlier. One that does not understand that a result is refused never does.
MOST_REFUSALS = 50
FAULT_CHARACTERS = 1000

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
        self._asleep: list[trio.lowlevel.Task] = []

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
        """Set the outcome, unless there is one, and wake those who wait for it."""
        if self.outcome is None:
            self.outcome = outcome
            for task in self._asleep:
                trio.lowlevel.reschedule(task)
            self._asleep.clear()

    async def wait(self) -> None:
        """Return once there is an outcome. As a `trio.Event` would, for half of what one costs."""
        if self.outcome is not None:
            await trio.lowlevel.checkpoint()
            return
        task = trio.lowlevel.current_task()

        def give_up(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._asleep.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        self._asleep.append(task)
        await trio.lowlevel.wait_task_rescheduled(give_up)

    def answer(self) -> Answer:
        """Return the answer or raise the failure of a call that has ended."""
        assert self.outcome is not None
        if isinstance(self.outcome, JobFailed):
            raise JobFailed(self.outcome.kind, self.outcome.detail)
        return self.outcome
