"""What jobs are due for, and when."""

import heapq
from collections.abc import Iterator
from typing import Literal, TypeAlias

from brokers.records import Job

Due: TypeAlias = Literal["retry", "expire"]


class Timers:
    """Jobs by due time. A job that was leased since its timer was set is skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Due, Job, int]] = []
        self._number = 0

    def set(self, when: float, due: Due, job: Job) -> None:
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, due, job, job.attempt))

    def pop_due(self, now: float) -> Iterator[tuple[Job, Due]]:
        while self._heap and self._heap[0][0] <= now:
            _, _, due, job, attempt = heapq.heappop(self._heap)
            if job.attempt == attempt:
                yield job, due
