"""Which worker gets which job next: pure decisions over queues and workers.

Order: highest priority first, then the oldest. Place: the worker that the job's affinity points to
(rendezvous hash) while it is under half full or no fuller than the rest, else the emptiest.

A job that a worker did not do goes to another one, if there is one: best to a worker whose results
were accepted, even if it must wait for a slot there.

Suspects, jobs whose worker died, are kept apart from other jobs. After one death a job shares a
worker only with other such suspects, after two it runs alone: a job is blamed only for what happens
while it runs alone. Suspects take at most half of the workers; if no worker is empty, one is
reserved and drained.
"""

import heapq
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from brokers.state import Job, JobState, Worker
from rstar_async.wire.messages import JobId

HALF_FULL = 0.5
CROWDING = 1.25
REMEMBERED_AFFINITIES = 10_000
SWEEP_SIZE = 1024


class JobQueue:
    """Waiting jobs by priority and age. What was leased, removed or pushed again is skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Job]] = []
        self._sweep_at = SWEEP_SIZE

    def push(self, job: Job) -> None:
        job.queue_entry += 1
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


class Scheduler:
    """Keeps the waiting jobs and pairs them with workers."""

    def __init__(self, most_suspects: int) -> None:
        self._most_suspects = most_suspects
        self._regular, self._suspects = JobQueue(), JobQueue()
        self._workers: dict[bytes, Worker] = {}
        self._rankings: dict[str, list[Worker]] = {}
        self._reserved: Worker | None = None

    def add_worker(self, worker: Worker) -> None:
        self._workers[worker.session] = worker
        self._rankings.clear()

    def remove_worker(self, worker: Worker) -> None:
        self._workers.pop(worker.session, None)
        self._rankings.clear()
        if self._reserved is worker:
            self._reserved = None

    def push(self, job: Job) -> None:
        (self._suspects if job.is_suspect else self._regular).push(job)

    def assignments(self) -> Iterator[tuple[Job, Worker]]:
        """Yield what to lease now; the caller leases each pair before asking for the next."""
        yield from self._assign_suspects()
        yield from self._assign_regular()

    # suspects

    def _assign_suspects(self) -> Iterator[tuple[Job, Worker]]:
        while self._suspects.peek() is not None:
            worker = self._empty_worker()
            if worker is None:
                self._reserve()
                return
            yield from self._fill_with_suspects(worker)
        self._reserved = None

    def _fill_with_suspects(self, worker: Worker) -> Iterator[tuple[Job, Worker]]:
        worker.is_for_suspects = True
        self._reserved = None
        first = self._suspects.pop()
        yield first, worker
        if first.deaths > 1:
            return
        while (job := self._suspects.peek()) is not None and job.deaths == 1:
            if worker.free_slots < 1 or len(worker.held) >= self._most_suspects:
                return
            yield self._suspects.pop(), worker

    def _empty_worker(self) -> Worker | None:
        usable = [worker for worker in self._workers.values() if worker.is_usable]
        taken = sum(worker.is_for_suspects for worker in usable)
        if taken >= max(1, len(usable) // 2):
            return None
        return next((worker for worker in usable if not worker.held), None)

    def _reserve(self) -> None:
        if self._reserved is not None and self._reserved.is_usable:
            return
        usable = [
            worker
            for worker in self._workers.values()
            if worker.is_usable and not worker.is_for_suspects
        ]
        taken = sum(worker.is_for_suspects for worker in self._workers.values())
        if taken or not usable:
            self._reserved = None
        else:
            self._reserved = min(usable, key=lambda worker: len(worker.held))

    # all other jobs

    def _assign_regular(self) -> Iterator[tuple[Job, Worker]]:
        if self._regular.peek() is None:
            return
        free = FreeWorkers(worker for worker in self._workers.values() if self._is_open(worker))
        held = sum(len(worker.held) for worker in self._workers.values())
        capacity = max(1, sum(worker.capacity for worker in self._workers.values()))
        set_aside: list[Job] = []
        while free.are_left() and self._regular.peek() is not None:
            job = self._regular.pop()
            worker = self._place(job, free, held / capacity)
            if worker is None:
                set_aside.append(job)
            else:
                held += 1
                yield job, worker
        for job in set_aside:
            self._regular.push(job)

    def _is_open(self, worker: Worker) -> bool:
        return worker.free_slots > 0 and not worker.is_for_suspects and worker is not self._reserved

    def _place(self, job: Job, free: FreeWorkers, mean_load: float) -> Worker | None:
        """Choose a worker with a free slot that does not still hold an earlier run of the job."""
        if job.tried:
            return self._place_elsewhere(job)
        if job.submit.affinity:
            crowded = max(HALF_FULL, CROWDING * mean_load)
            for worker in self._by_affinity(job.submit.affinity):
                fits = self._is_open(worker) and worker.load < crowded
                if fits and job.id not in worker.held:
                    return worker
        return free.emptiest_without(job.id)

    def _place_elsewhere(self, job: Job) -> Worker | None:
        candidates = untried(job, self._workers.values())
        open_ = [w for w in candidates if self._is_open(w) and job.id not in w.held]
        return min(open_, key=lambda worker: worker.load, default=None)

    def _by_affinity(self, affinity: str) -> list[Worker]:
        if affinity not in self._rankings:
            if len(self._rankings) >= REMEMBERED_AFFINITIES:
                self._rankings.clear()
            self._rankings[affinity] = rendezvous(affinity, self._workers.values())
        return self._rankings[affinity]


def _is_waiting(job: Job, entry: int) -> bool:
    return job.state is JobState.QUEUED and job.queue_entry == entry


def untried(job: Job, workers: Iterable[Worker]) -> list[Worker]:
    """The usable workers that have not tried the job, or all if there is no such one; only those
    whose results were accepted, if there are any."""
    usable = [worker for worker in workers if worker.is_usable]
    others = [worker for worker in usable if worker.name not in job.tried] or usable
    return [worker for worker in others if worker.standing.is_proven] or others


def rendezvous(affinity: str, workers: Iterable[Worker]) -> list[Worker]:
    """Order workers by their hash with `affinity`: one that leaves moves only its own share."""
    key = affinity.encode()
    return sorted(
        workers, key=lambda worker: blake2b(key, key=worker.session, digest_size=8).digest()
    )
