"""Queues of jobs, and workers by their load: what the scheduler picks from."""

import heapq
from collections.abc import Iterable

from brokers.state import Job, JobState, Worker
from rstar_async.wire.messages import JobId

SWEEP_SIZE = 1024


class JobQueue:
    """Waiting jobs by priority and age. What was leased, removed or pushed again is skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Job]] = []
        self._sweep_at = SWEEP_SIZE

    def push(self, job: Job) -> None:
        """Take in a job with a new `queue_entry`."""
        heapq.heappush(self._heap, (-job.submit.priority, job.seq, job.queue_entry, job))
        if len(self._heap) >= self._sweep_at:
            self._sweep()

    def peek(self) -> Job | None:
        while self._heap:
            *_, entry, job = self._heap[0]
            if _is_waiting(job, entry):
                return job
            heapq.heappop(self._heap)
        return None

    def pop(self) -> Job:
        return heapq.heappop(self._heap)[3]

    def waiting(self) -> list[Job]:
        """All that wait, in no order."""
        return [job for *_, entry, job in self._heap if _is_waiting(job, entry)]

    def _sweep(self) -> None:
        """Drop what would be skipped, so that removed jobs cannot pile up behind waiting ones."""
        self._heap = [item for item in self._heap if _is_waiting(item[3], item[2])]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_SIZE, 2 * len(self._heap))


class FreeWorkers:
    """Workers with free slots, the emptiest first. During its life they may fill, not empty."""

    def __init__(self, workers: Iterable[Worker]) -> None:
        self._heap = [(worker.load, number, worker) for number, worker in enumerate(workers)]
        heapq.heapify(self._heap)

    def are_left(self) -> bool:
        while self._heap:
            load, number, worker = self._heap[0]
            if worker.free_slots < 1:
                heapq.heappop(self._heap)
            elif load != worker.load:
                heapq.heapreplace(self._heap, (worker.load, number, worker))
            else:
                return True
        return False

    def emptiest(self) -> Worker | None:
        return self._heap[0][2] if self.are_left() else None

    def emptiest_without(self, job: JobId) -> Worker | None:
        """The emptiest worker that does not hold this job."""
        passed = []
        found = None
        while found is None and self.are_left():
            passed.append(heapq.heappop(self._heap))
            if job not in passed[-1][2].held:
                found = passed[-1][2]
        for entry in passed:
            heapq.heappush(self._heap, entry)
        return found


def _is_waiting(job: Job, entry: int) -> bool:
    return job.state is JobState.QUEUED and job.queue_entry == entry
