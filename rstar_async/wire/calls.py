"""One job as its askers see it: what was asked, when to ask again, how it ended."""

import random

import msgspec
import trio

from rstar_async.errors import JobFailed
from rstar_async.wire.messages import Submit

FIRST_RESEND_SECONDS = 2.0
LAST_RESEND_SECONDS = 30.0


class Answer(msgspec.Struct, frozen=True):
    """A job's result, and how it came about."""

    body: bytes
    worker: str
    attempt: int
    seconds: float


class Statistics(msgspec.Struct):
    """What a pool client has done and met since it was opened, but for `waiting`, which is now.

    `duplicates` are endings of jobs that nobody waited for (any more); they were dropped.
    """

    waiting: int = 0
    asked: int = 0
    answered: int = 0
    failed: int = 0
    resent: int = 0
    duplicates: int = 0
    welcomes: int = 0


class Call:
    """One job in this process: asked for by `waiters` tasks, ended when `outcome` is there."""

    def __init__(self, submit: Submit, body: bytes) -> None:
        self.submit, self.body = submit, body
        self.waiters = 0
        self._pause = FIRST_RESEND_SECONDS
        self.resend_at = 0.0
        self.outcome: Answer | JobFailed | None = None
        self.ended = trio.Event()

    def schedule_resend(self) -> None:
        """Set when to submit again, each time later."""
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
