"""The table of jobs: every state a job can be in, and the times at which something is due."""

from collections.abc import Iterator
from itertools import takewhile

from brokers.state import Client, Job, JobState, Worker
from rstar_async.wire.messages import Failed, Finished, JobId, Submit


class JobTable:
    """Jobs by id. Keeps state, leaseholder and timer of each consistent; decides nothing."""

    def __init__(self) -> None:
        self._jobs: dict[JobId, Job] = {}
        self._timed: dict[JobId, Job] = {}  # leased or resting: something is due
        self._ended: dict[JobId, float] = {}  # when each ended, the earliest first
        self._next_seq = 0

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, job: JobId) -> Job:
        return self._jobs[job]

    def get(self, job: JobId) -> Job | None:
        return self._jobs.get(job)

    def add(self, now: float, submit: Submit, body: bytes, client: Client) -> Job:
        job = Job(submit, body, self._next_seq, {client}, queued_at=now)
        self._jobs[job.id] = job
        self._next_seq += 1
        return job

    def queue(self, now: float, job: Job) -> None:
        self._timed.pop(job.id, None)
        job.state, job.worker, job.queued_at = JobState.QUEUED, None, now

    def lease(self, now: float, job: Job, worker: Worker, due_at: float) -> None:
        job.state, job.worker, job.leased_at, job.due_at = JobState.LEASED, worker, now, due_at
        job.attempt += 1
        worker.held[job.id] = 0
        self._timed[job.id] = job

    def rest(self, job: Job, until: float) -> None:
        job.state, job.worker, job.due_at = JobState.RESTING, None, until
        self._timed[job.id] = job

    def end(self, now: float, job: Job, ending: Finished | Failed, result: bytes) -> None:
        """The body is kept with a result: the client may refuse it."""
        self._timed.pop(job.id, None)
        job.state, job.worker = JobState.ENDED, None
        if isinstance(ending, Failed):
            job.body = b""
        job.ending, job.result = ending, result
        self._ended[job.id] = now

    def reopen(self, job: Job) -> None:
        """Take back the result of an ended job; it is to be queued again."""
        del self._ended[job.id]
        job.ending, job.result, job.done_by = None, b"", ""

    def remove(self, job: Job) -> None:
        self._timed.pop(job.id, None)
        self._ended.pop(job.id, None)
        del self._jobs[job.id]
        job.state = JobState.ENDED
        job.body = job.result = b""  # queues may hold the job for a long time

    def due(self, now: float) -> list[Job]:
        """Return jobs whose lease has expired or whose rest is over."""
        return [job for job in self._timed.values() if job.due_at <= now]

    def ended_before(self, time: float) -> list[Job]:
        """Return jobs whose ending has been kept since `time` or longer."""
        old = takewhile(lambda entry: entry[1] <= time, self._ended.items())
        return [self._jobs[job] for job, _ in old]
