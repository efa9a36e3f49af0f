"""The life of a job: submitted, leased, perhaps lost and leased again, ended once, forgotten.

Invariants. A job has one leaseholder at most and ends at most once; its first ending is told to
every client that waits for it. A job nobody waits for is forgotten, and its run cancelled.
"""

from brokers.effects import Effect, ToClient, ToWorker
from brokers.peers import Peers
from brokers.scheduler import Scheduler
from brokers.state import BrokerConfig, Client, Job, OrphanedRun, State, Worker
from rstar_async.wire.messages import (
    Accepted,
    CancelRun,
    Counters,
    Failed,
    FailureKind,
    Finished,
    JobId,
    Submit,
)


class OrphanedRuns:
    """What workers run, or have already done, before the broker knows of the job."""

    def __init__(self, young_until: float) -> None:
        self._until = young_until
        self._claims: dict[JobId, OrphanedRun] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def add_run(self, now: float, job: JobId, worker: Worker) -> bool:
        """Keep the run for its Submit; False if it is too late, or another worker was first."""
        if now >= self._until or job in self._claims:
            return False
        self._claims[job] = OrphanedRun(worker.session)
        return True

    def add_result(self, now: float, finished: Finished, body: bytes) -> bool:
        """Keep the result for its Submit; False if it is too late."""
        if now >= self._until:
            return False
        self._claims[finished.job] = OrphanedRun(None, finished, body)
        return True

    def pop(self, job: JobId) -> OrphanedRun | None:
        return self._claims.pop(job, None)

    def drop_run(self, job: JobId, worker: Worker) -> None:
        """The worker does not run it any more."""
        if self.is_of(job, worker):
            del self._claims[job]

    def is_of(self, job: JobId, worker: Worker) -> bool:
        claim = self._claims.get(job)
        return claim is not None and claim.worker == worker.session

    def pop_overdue(self, now: float) -> dict[JobId, OrphanedRun]:
        """Return all that nobody has submitted in time."""
        if now < self._until or not self._claims:
            return {}
        overdue, self._claims = self._claims, {}
        return overdue


class JobTable:
    """All jobs of one pool. What must be told is appended to `effects`."""

    def __init__(
        self, now: float, rules: BrokerConfig, clients: Peers[Client], assigner: Scheduler
    ) -> None:
        self.effects: list[Effect] = []
        self.jobs: dict[JobId, Job] = {}
        self.claims = OrphanedRuns(now + rules.unclaimed)
        self.counters = Counters()
        self.workers: Peers[Worker] = Peers()
        self._clients, self._rules, self._assigner = clients, rules, assigner
        self._timed: dict[JobId, Job] = {}  # leased or resting: something is due
        self._ended: dict[JobId, float] = {}  # and when, the earliest first
        self._seq = 0

    # what clients wish

    def submit(self, now: float, client: Client, submit: Submit, body: bytes) -> None:
        """Accept a job, or one more wish for a known one. Beyond the window: silence, no loss."""
        if submit.job not in client.jobs and len(client.jobs) >= self._rules.window:
            return
        self.effects.append(ToClient(client.peer, Accepted(submit.job)))
        client.jobs.add(submit.job)
        job = self.jobs.get(submit.job)
        if job is None:
            self._start(now, client, submit, body)
            return
        job.owners.add(client.session)
        if job.ending is not None:
            self.tell_ending(now, client, job)

    def disown(self, client: Client, job_id: JobId) -> None:
        """This client waits no longer; the last one to say so ends the job's life."""
        client.jobs.discard(job_id)
        job = self.jobs.get(job_id)
        if job is None:
            return
        job.owners.discard(client.session)
        if not job.owners:
            self._forget(job)

    def tell_ending(self, now: float, client: Client, job: Job) -> None:
        assert job.ending is not None
        job.told_at = now
        self.effects.append(ToClient(client.peer, job.ending, job.result))

    # from state to state

    def queue(self, now: float, job: Job) -> None:
        self._timed.pop(job.id, None)
        job.state, job.worker, job.queued_at = State.QUEUED, None, now
        self._assigner.push(job)

    def requeue(self, now: float, job: Job) -> None:
        self.counters.redelivered += 1
        self.queue(now, job)

    def lease(self, now: float, job: Job, worker: Worker) -> None:
        job.state, job.worker, job.leased_at = State.LEASED, worker.session, now
        job.attempt += 1
        self.counters.attempts += 1
        job.due_at = now + job.submit.deadline + self._rules.deadline_grace
        worker.held[job.id] = 0
        self._timed[job.id] = job

    def rest(self, until: float, job: Job) -> None:
        """Wait before another try."""
        self.counters.retries += 1
        job.state, job.worker, job.due_at = State.RESTING, None, until
        self._timed[job.id] = job

    def finish(self, now: float, job: Job, finished: Finished, result: bytes) -> None:
        self.counters.finished += 1
        self._end(now, job, finished, result)

    def fail(self, now: float, job: Job, kind: FailureKind, detail: str) -> None:
        if kind == "error":
            self.counters.errors += 1
        self._end(now, job, Failed(job.id, kind, detail), b"")

    def expire(self, now: float, job: Job) -> None:
        self.counters.expired += 1
        self.fail(now, job, "expired", f"not done within {job.submit.deadline:g} seconds")

    def pass_time(self, now: float) -> None:
        """Do what is due: overdue leases, ends of rests, endings nobody fetched."""
        for job in [job for job in self._timed.values() if job.due_at <= now]:
            if job.state is State.RESTING:
                self.queue(now, job)
            else:
                self.expire(now, job)
        while self._ended:
            job_id, ended_at = next(iter(self._ended.items()))
            if ended_at + self._rules.retained > now:
                return
            self._forget(self.jobs[job_id])

    def _start(self, now: float, client: Client, submit: Submit, body: bytes) -> None:
        """Queue a new job, unless it ran or runs already since before a restart."""
        job = self.jobs[submit.job] = Job(submit, body, self._seq, {client.session}, queued_at=now)
        self._seq += 1
        self.counters.submitted += 1
        claim = self.claims.pop(job.id)
        worker = self.workers.get(claim.worker) if claim is not None else None
        if claim is not None and claim.finished is not None:
            self.finish(now, job, claim.finished, claim.result)
        elif worker is not None:
            self.lease(now, job, worker)
        else:
            self.queue(now, job)

    def _end(self, now: float, job: Job, ending: Finished | Failed, result: bytes) -> None:
        self._cancel_run(job)
        self._timed.pop(job.id, None)
        job.state, job.worker, job.body = State.ENDED, None, b""
        job.ending, job.result = ending, result
        self._ended[job.id] = now
        for client in self._owners(job):
            self.tell_ending(now, client, job)

    def _forget(self, job: Job) -> None:
        if job.state is not State.ENDED:
            self.counters.cancelled += 1
            self._cancel_run(job)
        self._timed.pop(job.id, None)
        self._ended.pop(job.id, None)
        del self.jobs[job.id]
        for client in self._owners(job):
            client.jobs.discard(job.id)
        job.state, job.body = State.ENDED, b""  # a queue may still hold it

    def _owners(self, job: Job) -> list[Client]:
        found = [self._clients.get(session) for session in job.owners]
        return [client for client in found if client is not None]

    def _cancel_run(self, job: Job) -> None:
        worker = self.workers.get(job.worker)
        if worker is not None and job.id in worker.held:
            self.effects.append(ToWorker(worker.peer, CancelRun(job.id)))
