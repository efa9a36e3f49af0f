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

from brokers.state import Job, State, Worker
from rstar_async.wire.messages import JobId

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


class Rooms:
    """Workers with room, the emptiest first. While this lives, they may fill but not empty."""

    def __init__(self, workers: Iterable[Worker]) -> None:
        self._heap = [(worker.load, number, worker) for number, worker in enumerate(workers)]
        heapq.heapify(self._heap)

    def are_left(self) -> bool:
        while self._heap:
            load, number, worker = self._heap[0]
            if worker.room < 1:
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
        if self._innocent.peek() is None:
            return
        rooms = Rooms(worker for worker in self._workers.values() if self._is_open(worker))
        held = sum(len(worker.held) for worker in self._workers.values())
        capacity = max(1, sum(worker.capacity for worker in self._workers.values()))
        set_aside: list[Job] = []
        while rooms.are_left() and self._innocent.peek() is not None:
            job = self._innocent.pop()
            worker = self._place(job, rooms, held / capacity)
            if worker is None:
                set_aside.append(job)
            else:
                held += 1
                yield job, worker
        for job in set_aside:
            self._innocent.push(job)

    def _is_open(self, worker: Worker) -> bool:
        return worker.room > 0 and not worker.is_isolated and worker is not self._reserved

    def _place(self, job: Job, rooms: "Rooms", mean_load: float) -> Worker | None:
        """Choose among workers with room; one that still holds an earlier run is no choice."""
        if job.submit.affinity:
            crowded = max(HALF_FULL, CROWDING * mean_load)
            for worker in self._by_affinity(job.submit.affinity):
                fits = self._is_open(worker) and worker.load < crowded
                if fits and job.id not in worker.held:
                    return worker
        return rooms.emptiest_without(job.id)

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
