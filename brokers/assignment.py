"""Who gets the next job: pure decisions over queues and workers.

Order: highest priority first, then the oldest. Place: the worker that the job's affinity points to
(rendezvous hash) while it is under half full or no fuller than the rest, else the emptiest.

Suspects, jobs whose worker died, are kept from the innocent. After one death a job shares a worker
only with other such suspects (a ward), after two it runs alone: a conviction rests on what happens
while the job is alone. Wards take at most half of the workers; if none is empty, one is reserved
and drained.
"""

import heapq
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from brokers.records import Job, State, Worker

HALF_FULL = 0.5
CROWDING = 1.25
REMEMBERED_AFFINITIES = 10_000
SWEEP_SIZE = 1024


class JobQueue:
    """Waiting jobs by priority and age. What was leased, dropped or pushed again is skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Job]] = []
        self._sweep_at = SWEEP_SIZE

    def push(self, job: Job) -> None:
        job.ticket += 1
        heapq.heappush(self._heap, (-job.submit.priority, job.seq, job.ticket, job))
        if len(self._heap) >= self._sweep_at:
            self._sweep()

    def peek(self) -> Job | None:
        while self._heap:
            *_, ticket, job = self._heap[0]
            if _waits(job, ticket):
                return job
            heapq.heappop(self._heap)
        return None

    def pop(self) -> Job:
        return heapq.heappop(self._heap)[3]

    def _sweep(self) -> None:
        """Forget what would be skipped, so that dropped jobs cannot pile up behind waiting ones."""
        self._heap = [entry for entry in self._heap if _waits(entry[3], entry[2])]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_SIZE, 2 * len(self._heap))


class Assigner:
    """Keeps the waiting jobs and says which goes where."""

    def __init__(self, ward: int) -> None:
        self._ward = ward
        self._innocent, self._suspect = JobQueue(), JobQueue()
        self._workers: dict[bytes, Worker] = {}
        self._favourites: dict[str, list[Worker]] = {}
        self._reserved: Worker | None = None

    def add_worker(self, worker: Worker) -> None:
        self._workers[worker.session] = worker
        self._favourites.clear()

    def remove_worker(self, worker: Worker) -> None:
        self._workers.pop(worker.session, None)
        self._favourites.clear()
        if self._reserved is worker:
            self._reserved = None

    def push(self, job: Job) -> None:
        (self._suspect if job.is_suspect else self._innocent).push(job)

    def assignments(self) -> Iterator[tuple[Job, Worker]]:
        """Yield what to lease now; the caller leases each pair before asking for the next."""
        yield from self._suspects_to_wards()
        yield from self._innocents_to_room()

    # suspects

    def _suspects_to_wards(self) -> Iterator[tuple[Job, Worker]]:
        while self._suspect.peek() is not None:
            worker = self._empty_worker()
            if worker is None:
                self._reserve()
                return
            yield from self._fill_ward(worker)
        self._reserved = None

    def _fill_ward(self, worker: Worker) -> Iterator[tuple[Job, Worker]]:
        worker.is_isolated = True
        self._reserved = None
        first = self._suspect.pop()
        yield first, worker
        if first.deaths > 1:
            return
        while (job := self._suspect.peek()) is not None and job.deaths == 1:
            if worker.room < 1 or len(worker.held) >= self._ward:
                return
            yield self._suspect.pop(), worker

    def _empty_worker(self) -> Worker | None:
        usable = [worker for worker in self._workers.values() if worker.is_usable]
        wards = sum(worker.is_isolated for worker in usable)
        if wards >= max(1, len(usable) // 2):
            return None
        return next((worker for worker in usable if not worker.held), None)

    def _reserve(self) -> None:
        if self._reserved is not None and self._reserved.is_usable:
            return
        usable = [
            worker
            for worker in self._workers.values()
            if worker.is_usable and not worker.is_isolated
        ]
        wards = sum(worker.is_isolated for worker in self._workers.values())
        self._reserved = None if wards or not usable else min(usable, key=lambda w: len(w.held))

    # everyone else

    def _innocents_to_room(self) -> Iterator[tuple[Job, Worker]]:
        set_aside: list[Job] = []
        while (job := self._innocent.peek()) is not None:
            open_workers = [worker for worker in self._workers.values() if self._is_open(worker)]
            if not open_workers:
                break
            self._innocent.pop()
            worker = self._place(job, open_workers)
            if worker is None:
                set_aside.append(job)
            else:
                yield job, worker
        for job in set_aside:
            self._innocent.push(job)

    def _is_open(self, worker: Worker) -> bool:
        return worker.room > 0 and not worker.is_isolated and worker is not self._reserved

    def _place(self, job: Job, open_workers: list[Worker]) -> Worker | None:
        """Choose among workers with room; one that still holds an earlier run is no choice."""
        crowded = max(HALF_FULL, CROWDING * _mean_load(self._workers.values()))
        if job.submit.affinity:
            for worker in self._by_affinity(job.submit.affinity):
                fits = self._is_open(worker) and worker.load < crowded
                if fits and job.id not in worker.held:
                    return worker
        free = (worker for worker in open_workers if job.id not in worker.held)
        return min(free, key=lambda worker: worker.load, default=None)

    def _by_affinity(self, affinity: str) -> list[Worker]:
        if affinity not in self._favourites:
            if len(self._favourites) >= REMEMBERED_AFFINITIES:
                self._favourites.clear()
            self._favourites[affinity] = rendezvous(affinity, self._workers.values())
        return self._favourites[affinity]


def _waits(job: Job, ticket: int) -> bool:
    return job.state is State.QUEUED and job.ticket == ticket


def rendezvous(affinity: str, workers: Iterable[Worker]) -> list[Worker]:
    """Order workers by their hash with `affinity`: one that leaves moves only its own share."""
    key = affinity.encode()
    return sorted(
        workers, key=lambda worker: blake2b(key, key=worker.session, digest_size=8).digest()
    )


def _mean_load(workers: Iterable[Worker]) -> float:
    held = capacity = 0
    for worker in workers:
        held += len(worker.held)
        capacity += worker.capacity
    return held / max(1, capacity)
