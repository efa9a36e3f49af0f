"""Runs from before the broker's restart, whose Submit has not come again yet."""

from dataclasses import dataclass

from brokers.state import Worker
from rstar_async.wire.messages import Finished, JobId


@dataclass(slots=True, eq=False)
class OrphanedRun:
    """A run on the worker with this session, or its result."""

    worker: bytes | None
    finished: Finished | None = None
    result: bytes = b""


class OrphanedRuns:
    """What workers run, or have already done, before the broker knows of the job."""

    def __init__(self, accepted_until: float) -> None:
        self._until = accepted_until
        self._runs: dict[JobId, OrphanedRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def held_bytes(self) -> int:
        return sum(len(run.result) for run in self._runs.values())

    def add_run(self, now: float, job: JobId, worker: Worker) -> bool:
        """Keep the run for its Submit; False if it is too late, or another worker was first."""
        if now >= self._until or job in self._runs:
            return False
        self._runs[job] = OrphanedRun(worker.session)
        return True

    def add_result(self, now: float, finished: Finished, body: bytes) -> bool:
        """Keep the result for its Submit; False if it is too late."""
        if now >= self._until:
            return False
        self._runs[finished.job] = OrphanedRun(None, finished, body)
        return True

    def pop(self, job: JobId) -> OrphanedRun | None:
        return self._runs.pop(job, None)

    def drop_run(self, job: JobId, worker: Worker) -> None:
        """The worker does not run it any more."""
        if self.is_of(job, worker):
            del self._runs[job]

    def is_of(self, job: JobId, worker: Worker) -> bool:
        run = self._runs.get(job)
        return run is not None and run.worker == worker.session

    def pop_overdue(self, now: float) -> dict[JobId, OrphanedRun]:
        """Return all that no client has submitted in time."""
        if now < self._until or not self._runs:
            return {}
        overdue, self._runs = self._runs, {}
        return overdue
