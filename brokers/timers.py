"""What a job is due for, and when. A timer whose job has moved on is the caller's to ignore."""

import heapq
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from brokers.records import Job

Due: TypeAlias = Literal["retry", "expire"]


class Timer(NamedTuple):
    when: float
    number: int
    due: Due
    job: Job
    attempt: int


class Timers:
    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._number = 0

    def set(self, when: float, due: Due, job: Job) -> None:
        self._number += 1
        heapq.heappush(self._heap, Timer(when, self._number, due, job, job.attempt))

    def pop_due(self, now: float) -> Iterator[Timer]:
        while self._heap and self._heap[0].when <= now:
            yield heapq.heappop(self._heap)
