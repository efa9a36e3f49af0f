"""What clients, workers and the clock do to the jobs of a pool, whose state is all in here. Pure.

A job without a waiting client is removed, and its run cancelled; `job_lifecycle` has the rest of
what holds for every job.

Workers' beats are absolute, so every difference is repaired at the next one: a lost assignment is
given out again, a run that was given up is cancelled, a run from before a restart is adopted. A
slot is free only when the worker says so or two beats leave the job out: a cancelled run occupies
its slot until it has really stopped, and its worker is not given the same job meanwhile.

`failed_runs` says what becomes of a job that its worker did not do.
"""

import random

from brokers.effects import EffectQueue
from brokers.failed_runs import FailedRuns
from brokers.faults import FaultKeeper
from brokers.job_lifecycle import JobLifecycle
from brokers.orphans import OrphanedRuns
from brokers.peers import Peers
from brokers.state import BrokerConfig, Client, Job, JobState, Worker
from rstar_async.wire.messages import (
    Accepted,
    CancelRun,
    Counters,
    Done,
    Error,
    Finished,
    Got,
    JobId,
    Stopped,
    Submit,
)


class PoolState:
    """One pool's state. Methods change it and add what must be sent to `effects`."""

    def __init__(
        self, now: float, config: BrokerConfig, effects: EffectQueue, rng: random.Random
    ) -> None:
        self.clients: Peers[Client] = Peers()
        self.workers: Peers[Worker] = Peers()
        self.orphans = OrphanedRuns(now + config.unclaimed)
        self.counters = Counters()
        self._faults = FaultKeeper(config, effects, self.counters)
        self._lifecycle = JobLifecycle(config, effects, self.counters)
        self.jobs = self._lifecycle.jobs
        self._config, self._effects = config, effects
        self._failed = FailedRuns(
            config, effects, self.counters, rng, self.workers, self._lifecycle, self._faults
        )

    def held_bytes(self) -> int:
        """Bytes in the bodies and results of all jobs."""
        jobs = sum(len(job.body) + len(job.result) for job in self.jobs)
        return jobs + self.orphans.held_bytes()

    # clients

    def remove_client(self, client: Client) -> None:
        for job_id in list(client.jobs):
            self.abandon(client, job_id)
        self.clients.remove(client)

    def submit(self, now: float, client: Client, submit: Submit, body: bytes) -> None:
        """Accept a job, known or new. Beyond the window nothing is said: the client asks again."""
        if submit.job in client.jobs:
            self._effects.to_client(client.peer, Accepted(submit.job))
        elif len(client.jobs) < self._config.window:
            client.jobs.add(submit.job)
            client.unacknowledged.append(submit.job)
        else:
            return
        job = self.jobs.get(submit.job)
        if job is None:
            self._start(now, self.jobs.add(now, submit, body, client))
            return
        job.clients.add(client)
        if job.ending is not None:
            self._lifecycle.send_ending(now, client, job)

    def acknowledge(self, client: Client) -> None:
        """Tell the client which jobs it need not submit again; that of others their ending says."""
        submitted, client.unacknowledged = client.unacknowledged, []
        waiting = [j for j in submitted if j in client.jobs and self.jobs[j].ending is None]
        if waiting:
            self._effects.to_client(client.peer, Accepted(waiting[0], waiting[1:]))

    def take(self, now: float, client: Client, got: Got) -> None:
        """The client has the endings of these jobs: a result is accepted or refused."""
        if got.fault:
            self._refuse(now, client, got)
        else:
            self._accept(now, client, got.job, others_failed=got.blame)
        for job_id in got.others:
            self._accept(now, client, job_id, others_failed=True)

    def abandon(self, client: Client, job_id: JobId) -> None:
        """This client waits no longer; a job that no client waits for is removed."""
        client.jobs.discard(job_id)
        job = self.jobs.get(job_id)
        if job is None:
            return
        job.clients.discard(client)
        if not job.clients:
            self._lifecycle.remove(job)

    def abandon_group(self, client: Client, group: str) -> None:
        for job_id in list(client.jobs):
            if self.jobs[job_id].submit.group == group:
                self.abandon(client, job_id)

    def reconcile_client(self, now: float, client: Client, waiting: set[JobId]) -> None:
        """Make up for Cancels, Gots and endings that were lost."""
        for job_id in client.jobs - waiting:
            self.abandon(client, job_id)
        for job_id in client.jobs:
            job = self.jobs[job_id]
            if job.ending and job.ending_sent_at + self._config.resend_ending <= now:
                self._lifecycle.send_ending(now, client, job)

    # workers

    def assign(self, now: float) -> None:
        """Lease all that can be leased."""
        self._lifecycle.assign(now)

    def add_worker(self, worker: Worker) -> None:
        worker.standing = self._faults.standing_of(worker.name)
        self.workers.add(worker)
        self._lifecycle.scheduler.add_worker(worker)

    def remove_worker(self, now: float, worker: Worker, *, died: bool) -> None:
        """Requeue everything it held; if it died, under suspicion."""
        self.counters.deaths += died
        self.workers.remove(worker)
        self._lifecycle.scheduler.remove_worker(worker)
        was_alone = len(worker.held) == 1
        for job_id in list(worker.held):
            job = self._release(worker, job_id)
            if job is not None and died:
                self._failed.died(now, job, worker, was_alone=was_alone)
            elif job is not None:
                self._lifecycle.requeue(now, job)

    def expel_worker(self, now: float, worker: Worker) -> None:
        """It does not speak the protocol: its jobs go to others, without suspicion."""
        for job_id in worker.held:
            if (job := self.jobs.get(job_id)) is not None and job.worker is worker:
                job.tried.add(worker.name)
        self.remove_worker(now, worker, died=False)
        self._failed.isolate(now, self._faults.malformed(now, worker.name))

    def reconcile_worker(self, now: float, worker: Worker, running: set[JobId]) -> None:
        """Compare what the worker runs with what it should run, and repair the difference."""
        for job_id in worker.missing_runs(running):
            self.lose_run(now, worker, job_id)
        for job_id in running:
            if job_id in worker.held:
                self._stop_if_unwanted(worker, job_id)
            else:
                self._adopt_run(now, worker, job_id)

    def lose_run(self, now: float, worker: Worker, job_id: JobId) -> None:
        """The assignment never arrived, or the worker dropped it."""
        if (job := self._release(worker, job_id)) is not None:
            self._failed.lost(now, job, worker)

    def record_result(self, now: float, worker: Worker | None, done: Done, body: bytes) -> None:
        """The first result wins, whichever worker and attempt it comes from; after one that was
        refused, only the leaseholder's counts."""
        if worker is not None:
            worker.release(done.job)
        job = self.jobs.get(done.job)
        if job is not None and job.rejections and (worker is None or job.worker is not worker):
            self.counters.duplicates += 1
            return
        name = worker.name if worker is not None else "?"
        seconds = waited = 0.0
        if job is not None and job.attempt:
            seconds, waited = now - job.leased_at, max(0.0, job.leased_at - job.queued_at)
        attempt = job.attempt if job is not None and job.attempt else done.attempt
        finished = Finished(done.job, attempt, name, seconds, waited)
        if job is not None and job.state is not JobState.ENDED:
            job.done_by = worker.name if worker is not None else ""
            self._lifecycle.finish(now, job, finished, body)
        elif job is not None or not self.orphans.add_result(now, finished, body):
            self.counters.duplicates += 1

    def record_error(self, now: float, worker: Worker, error: Error) -> None:
        if (job := self._release(worker, error.job)) is not None:
            self._failed.erred(now, job, worker, error)

    def record_stop(self, now: float, worker: Worker, stopped: Stopped) -> None:
        if (job := self._release(worker, stopped.job)) is not None:
            self._failed.stopped(now, job, worker, stopped)

    # time

    def pass_time(self, now: float) -> None:
        """Do what is due: overdue leases, ends of rests, unfetched endings, unclaimed runs."""
        for job in self.jobs.due(now):
            if job.state is JobState.RESTING or job.worker is None:
                self._lifecycle.queue(now, job)
            else:
                self._lifecycle.cancel_run(job)
                self._failed.overdue(now, job, job.worker)
        self._faults.pass_time(now)
        for job in self.jobs.ended_before(now - self._config.retained):
            self._lifecycle.remove(job)
        for job_id, run in self.orphans.pop_overdue(now).items():
            if (worker := self.workers.get(run.worker)) is not None:
                self._effects.to_worker(worker.peer, CancelRun(job_id))

    # leases

    def _release(self, worker: Worker, job_id: JobId) -> Job | None:
        """Free the slot; return the job if it was leased to this worker."""
        worker.release(job_id)
        self.orphans.drop_run(job_id, worker)
        job = self.jobs.get(job_id)
        return job if job is not None and job.worker is worker else None

    def _adopt_run(self, now: float, worker: Worker, job_id: JobId) -> None:
        """A run that was not assigned: from before a restart, or after it was given up."""
        worker.held[job_id] = 0
        job = self.jobs.get(job_id)
        if job is not None and job.state is JobState.QUEUED:
            self._lifecycle.lease(now, job, worker)
        elif job is not None or not self.orphans.add_run(now, job_id, worker):
            self._stop_if_unwanted(worker, job_id)

    def _stop_if_unwanted(self, worker: Worker, job_id: JobId) -> None:
        job = self.jobs.get(job_id)
        is_leased = job is not None and job.worker is worker
        if not is_leased and not self.orphans.is_of(job_id, worker):
            self._effects.to_worker(worker.peer, CancelRun(job_id))

    # from state to state

    def _start(self, now: float, job: Job) -> None:
        """Queue a new job, unless it has been running or finished since before a restart."""
        self.counters.submitted += 1
        orphan = self.orphans.pop(job.id)
        worker = self.workers.get(orphan.worker) if orphan is not None else None
        if orphan is not None and orphan.finished is not None:
            self._lifecycle.finish(now, job, orphan.finished, orphan.result)
        elif worker is not None:
            self._lifecycle.lease(now, job, worker)
        else:
            self._lifecycle.queue(now, job)

    # faults

    def _accept(self, now: float, client: Client, job_id: JobId, *, others_failed: bool) -> None:
        job = self.jobs.get(job_id)
        if job is not None and isinstance(job.ending, Finished):
            self._failed.isolate(now, self._faults.accepted(now, job, others_failed=others_failed))
        self.abandon(client, job_id)

    def _refuse(self, now: float, client: Client, got: Got) -> None:
        job = self.jobs.get(got.job)
        if job is not None and job.id in client.jobs and _has_result(job, got.attempt):
            self._failed.refused(now, job, got)


def _has_result(job: Job, attempt: int) -> bool:
    return isinstance(job.ending, Finished) and job.ending.attempt == attempt
