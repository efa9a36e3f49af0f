"""Runs from before the broker's restart, which wait for their clients to submit them again.

Only a young broker takes claims: once every client has had the time to come back, a run that nobody
submitted is nobody's.
"""

from brokers.records import Unclaimed, Worker
from rstar_async.wire.messages import Finished, JobId


class Claims:
    """What workers run, or have already done, before the broker knows of the job."""

    def __init__(self, young_until: float) -> None:
        self._until = young_until
        self._claims: dict[JobId, Unclaimed] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def add_run(self, now: float, job: JobId, worker: Worker) -> bool:
        """Keep the run for its Submit; False if it is too late, or another worker was first."""
        if now >= self._until or job in self._claims:
            return False
        self._claims[job] = Unclaimed(worker.session)
        return True

    def add_result(self, now: float, finished: Finished, body: bytes) -> bool:
        """Keep the result for its Submit; False if it is too late."""
        if now >= self._until:
            return False
        self._claims[finished.job] = Unclaimed(None, finished, body)
        return True

    def pop(self, job: JobId) -> Unclaimed | None:
        return self._claims.pop(job, None)

    def drop_run(self, job: JobId, worker: Worker) -> None:
        """The worker does not run it any more."""
        if self.is_of(job, worker):
            del self._claims[job]

    def is_of(self, job: JobId, worker: Worker) -> bool:
        claim = self._claims.get(job)
        return claim is not None and claim.worker == worker.session

    def pop_overdue(self, now: float) -> dict[JobId, Unclaimed]:
        """Return all that nobody has submitted in time."""
        if now < self._until or not self._claims:
            return {}
        overdue, self._claims = self._claims, {}
        return overdue
