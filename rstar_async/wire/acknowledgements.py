"""What a client has to acknowledge: endings of jobs that arrived, of which the broker is not told.

They leave with the client's next message; `pool` sends them alone when there is none for a while.
"""

from rstar_async.wire.messages import Got, JobId

MOST = 1024


class Acknowledgements:
    """Of one client, in the order in which the endings arrived."""

    def __init__(self) -> None:
        self._jobs: list[JobId] = []

    @property
    def is_full(self) -> bool:
        """Whether they should leave without waiting for another message."""
        return len(self._jobs) >= MOST

    def add(self, job: JobId) -> None:
        self._jobs.append(job)

    def take(self) -> Got | None:
        """One message for all of them, which are forgotten here; None if there are none."""
        if not self._jobs:
            return None
        (job, *others), self._jobs = self._jobs, []
        return Got(job, others=others)
