"""A job from state to state: queued, leased, resting, ended, removed. Pure.

A job has at most one leaseholder and ends at most once; its first ending is sent to every client
that waits for it. Why a job goes from one state to the next is decided in `pool_state` and
`failed_runs`.
"""

from brokers.effects import EffectQueue, WriteDeadLetter
from brokers.jobs import JobTable
from brokers.scheduler import Scheduler
from brokers.state import BrokerConfig, Client, Job, JobState, Worker
from rstar_async.wire.messages import (
    Assign,
    CancelRun,
    Counters,
    Failed,
    FailureKind,
    Finished,
)


class JobLifecycle:
    """The transitions of the jobs in `jobs`; what must be sent is added to `effects`."""

    def __init__(self, config: BrokerConfig, effects: EffectQueue, counters: Counters) -> None:
        self.jobs = JobTable()
        self.scheduler = Scheduler(config.suspects, affinity_follows=config.affinity_follows)
        self._config, self._effects, self._counters = config, effects, counters

    def queue(self, now: float, job: Job) -> None:
        self.jobs.queue(now, job)
        self.scheduler.push(job)

    def requeue(self, now: float, job: Job) -> None:
        self._counters.redelivered += 1
        self.queue(now, job)

    def assign(self, now: float) -> None:
        """Lease all that can be leased."""
        for job, worker in self.scheduler.assignments():
            self.lease(now, job, worker)
            submit = job.submit
            assign = Assign(job.id, job.attempt, submit.deadline, submit.group, submit.affinity)
            self._effects.to_worker(worker.peer, assign, job.body)

    def lease(self, now: float, job: Job, worker: Worker) -> None:
        self._counters.attempts += 1
        due_at = now + job.submit.deadline + self._config.deadline_grace
        self.jobs.lease(now, job, worker, due_at)

    def cancel_run(self, job: Job) -> None:
        if job.worker is not None and job.id in job.worker.held:
            self._effects.to_worker(job.worker.peer, CancelRun(job.id))

    def finish(self, now: float, job: Job, finished: Finished, result: bytes) -> None:
        self._counters.finished += 1
        self._end(now, job, finished, result)

    def fail(self, now: float, job: Job, kind: FailureKind, detail: str) -> None:
        if kind == "error":
            self._counters.errors += 1
        elif kind == "expired":
            self._counters.expired += 1
        self._end(now, job, Failed(job.id, kind, detail), b"")

    def make_dead_letter(self, now: float, job: Job, worker: Worker) -> None:
        """Fail a job that killed its workers, and keep it as a dead letter."""
        detail = f"{job.deaths} workers died running it, the last was {worker.name}"
        self._counters.dead += 1
        self._effects.write_dead_letter(WriteDeadLetter(job.submit, job.body, job.deaths, detail))
        self.log("job became a dead letter", job, worker)
        self.fail(now, job, "dead", detail)

    def send_ending(self, now: float, client: Client, job: Job) -> None:
        assert job.ending is not None
        job.ending_sent_at = now
        self._effects.to_client(client.peer, job.ending, job.result)

    def remove(self, job: Job) -> None:
        if job.state is not JobState.ENDED:
            self._counters.cancelled += 1
            self.cancel_run(job)
        self.jobs.remove(job)
        for client in job.clients:
            client.jobs.discard(job.id)

    def log(self, event: str, job: Job, worker: Worker) -> None:
        self._effects.log(
            event,
            job=job.id.hex(),
            tree=job.submit.group,
            worker=worker.name,
            attempt=job.attempt,
            deaths=job.deaths,
        )

    def _end(self, now: float, job: Job, ending: Finished | Failed, result: bytes) -> None:
        self.cancel_run(job)
        self.jobs.end(now, job, ending, result)
        for client in job.clients:
            self.send_ending(now, client, job)
