"""One submitted job at the client: its request, when to send it again, its outcome."""

import random

import msgspec
import trio

from rstar_async.errors import JobFailed
from rstar_async.wire.messages import Submit

FIRST_RESEND_SECONDS = 2.0
LAST_RESEND_SECONDS = 30.0


class Answer(msgspec.Struct, frozen=True):
    """A job's result, and the worker, attempt and seconds it took."""

    body: bytes
    worker: str
    attempt: int
    seconds: float


class Statistics(msgspec.Struct):
    """Counts of a pool client since it was opened; `waiting` is the number at this moment.

    `duplicates` are endings of jobs that no ask waited for (any more); they were dropped.
    """

    waiting: int = 0
    asked: int = 0
    answered: int = 0
    failed: int = 0
    resent: int = 0
    duplicates: int = 0
    welcomes: int = 0


class Call:
    """One job in this process: `waiters` tasks wait until `outcome` is set."""

    def __init__(self, submit: Submit, body: bytes) -> None:
        self.submit, self.body = submit, body
        self.waiters = 0
        self._pause = FIRST_RESEND_SECONDS
        self.resend_at = 0.0
        self.outcome: Answer | JobFailed | None = None
        self.ended = trio.Event()

    def schedule_resend(self) -> None:
        """Set the time of the next submit; the pauses double."""
        self.resend_at = trio.current_time() + self._pause * random.uniform(0.8, 1.2)
        self._pause = min(self._pause * 2, LAST_RESEND_SECONDS)

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
