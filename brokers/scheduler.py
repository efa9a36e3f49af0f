"""Which worker gets which job next: pure decisions over queues and workers.

Order: highest priority first, then the oldest. Place: the worker that the job's affinity points to
while it is under half full or no fuller than the rest, else the emptiest. An affinity points to a
worker by rendezvous hash; where `affinity_follows`, to the one that had its last job.

When workers are full and jobs wait, a slot that gets free is rarely one of the worker that has the
oldest job's prefix in its cache. It goes to the oldest job that is there for that worker, if there
is one; but a job is passed over a limited number of times.

A job that a worker did not do goes to another one, if there is one: best to a worker whose results
were accepted, even if it must wait for a slot there.

Suspects, jobs whose worker died, are kept apart from other jobs. After one death a job shares a
worker only with other such suspects, after two it runs alone: a job is blamed only for what happens
while it runs alone. Suspects take at most half of the workers; if no worker is empty, one is
reserved and drained.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from brokers.queues import FreeWorkers, JobQueue
from brokers.state import Job, Worker

HALF_FULL = 0.5
CROWDING = 1.25
REMEMBERED_AFFINITIES = 10_000
PASSES_PER_WORKER = 4  # a slot is of the right worker after one a worker, on average


class Scheduler:
    """Keeps the waiting jobs and pairs them with workers."""

    def __init__(self, most_suspects: int, *, affinity_follows: bool = False) -> None:
        self._most_suspects, self._affinity_follows = most_suspects, affinity_follows
        self._regular, self._suspects = JobQueue(), JobQueue()
        # The regular jobs once more, by the worker they had best go to. None: to be made anew.
        self._by_worker: defaultdict[bytes, JobQueue] | None = None
        self._workers: dict[bytes, Worker] = {}
        self._rankings: dict[str, list[Worker]] = {}
        # The session of an affinity's last worker, where that is not the first of its ranking.
        self._last_session: dict[str, bytes] = {}
        self._reserved: Worker | None = None

    def add_worker(self, worker: Worker) -> None:
        self._workers[worker.session] = worker
        self._forget_rankings()

    def remove_worker(self, worker: Worker) -> None:
        self._workers.pop(worker.session, None)
        self._forget_rankings()
        if self._reserved is worker:
            self._reserved = None

    def push(self, job: Job) -> None:
        job.queue_entry += 1
        if job.is_suspect:
            self._suspects.push(job)
            return
        self._regular.push(job)
        if self._by_worker is not None:
            self._push_by_worker(job, self._by_worker)

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
            job, worker = self._next(free, held / capacity)
            if worker is None:
                set_aside.append(job)
            else:
                held += 1
                self._remember(job.submit.affinity, worker)
                yield job, worker
        for job in set_aside:
            self._regular.push(job)

    def _next(self, free: FreeWorkers, mean_load: float) -> tuple[Job, Worker | None]:
        """The oldest job and its place, or one that is passed over in favour of the other."""
        oldest = self._regular.peek()
        assert oldest is not None
        if self._waits_for_its_worker(oldest) and (worker := free.emptiest()) is not None:
            queue = self._queue_of(worker)
            job = queue.peek()
            if job is not None and _may_overtake(job, oldest, worker):
                oldest.passed_over += 1
                return queue.pop(), worker
        return (job := self._regular.pop()), self._place(job, free, mean_load)

    def _waits_for_its_worker(self, job: Job) -> bool:
        """Whether its own worker is full and it may wait for it, while there are others to do."""
        if job.passed_over >= PASSES_PER_WORKER * len(self._workers):
            return False
        own = self._own_worker(job)
        return own is not None and own.free_slots < 1

    def _own_worker(self, job: Job) -> Worker | None:
        """The first that its affinity points to, if it may go there."""
        if not job.submit.affinity or job.tried:
            return None
        choices = self._choices(job.submit.affinity)
        return next((worker for worker in choices if worker.is_usable), None)

    def _queue_of(self, worker: Worker) -> JobQueue:
        if self._by_worker is None:
            self._by_worker = defaultdict(JobQueue)
            for job in self._regular.waiting():
                self._push_by_worker(job, self._by_worker)
        return self._by_worker[worker.session]

    def _push_by_worker(self, job: Job, queues: defaultdict[bytes, JobQueue]) -> None:
        own = self._own_worker(job)
        if own is not None:
            queues[own.session].push(job)

    def _forget_rankings(self) -> None:
        self._rankings.clear()
        self._by_worker = None

    def _is_open(self, worker: Worker) -> bool:
        return worker.free_slots > 0 and not worker.is_for_suspects and worker is not self._reserved

    def _place(self, job: Job, free: FreeWorkers, mean_load: float) -> Worker | None:
        """Choose a worker with a free slot that does not still hold an earlier run of the job."""
        if job.tried:
            return self._place_elsewhere(job)
        if job.submit.affinity:
            crowded = max(HALF_FULL, CROWDING * mean_load)
            for worker in self._choices(job.submit.affinity):
                fits = self._is_open(worker) and worker.load < crowded
                if fits and job.id not in worker.held:
                    return worker
        return free.emptiest_without(job.id)

    def _place_elsewhere(self, job: Job) -> Worker | None:
        candidates = untried(job, self._workers.values())
        open_ = [w for w in candidates if self._is_open(w) and job.id not in w.held]
        return min(open_, key=lambda worker: worker.load, default=None)

    def _remember(self, affinity: str, worker: Worker) -> None:
        if not affinity or not self._affinity_follows:
            return
        if worker is self._ranking(affinity)[0]:
            self._last_session.pop(affinity, None)
            return
        if len(self._last_session) >= REMEMBERED_AFFINITIES:
            self._last_session.clear()
        self._last_session[affinity] = worker.session

    def _choices(self, affinity: str) -> Iterator[Worker]:
        """All workers, the best first."""
        last = self._workers.get(self._last_session.get(affinity, b""))
        if last is not None:
            yield last
        for worker in self._ranking(affinity):
            if worker is not last:
                yield worker

    def _ranking(self, affinity: str) -> list[Worker]:
        if affinity not in self._rankings:
            if len(self._rankings) >= REMEMBERED_AFFINITIES:
                self._rankings.clear()
            self._rankings[affinity] = rendezvous(affinity, self._workers.values())
        return self._rankings[affinity]


def _may_overtake(job: Job, oldest: Job, worker: Worker) -> bool:
    return job.submit.priority == oldest.submit.priority and job.id not in worker.held


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
