"""What becomes of a job that a worker failed: it goes to another worker, if there is one. Pure.

A worker that errs, stops early, is overdue or sends what its client refuses does not end a job, and
who failed it is blamed (`standing`). A job that kills its workers becomes a dead letter.
"""

import random
from collections.abc import Collection

from brokers.effects import EffectQueue
from brokers.faults import FaultKeeper
from brokers.job_lifecycle import JobLifecycle
from brokers.peers import Peers
from brokers.state import BrokerConfig, Job, Worker
from rstar_async.wire.messages import Counters, Error, FailureKind, Got, Stopped

STOPPED_AGAIN_SECONDS = 1.0  # a worker may stop a job twice only at leisure
MANY_WORKERS = 4  # so many times more results may be refused while untried workers are left
LONGEST_PAUSE = 8.0  # before the only worker gets a job again whose result was refused


class FailedRuns:
    """Each job was released by its worker before, save those of `isolate`."""

    def __init__(
        self,
        config: BrokerConfig,
        effects: EffectQueue,
        counters: Counters,
        rng: random.Random,
        workers: Peers[Worker],
        lifecycle: JobLifecycle,
        faults: FaultKeeper,
    ) -> None:
        self._config, self._effects, self._counters, self._rng = config, effects, counters, rng
        self._workers, self._lifecycle, self._faults = workers, lifecycle, faults

    def erred(self, now: float, job: Job, worker: Worker, error: Error) -> None:
        """Try a retryable error again after a pause, as often as may be; another elsewhere."""
        job.tried.add(worker.name)
        if not error.retryable:
            self._retry_elsewhere(now, job, worker, "error", error.detail)
        elif job.errors < self._config.retries:
            job.errors += 1
            self._counters.retries += 1
            pause = 2 ** (job.errors - 1) * self._rng.uniform(0.75, 1.25)
            self._lifecycle.jobs.rest(job, now + pause)
        else:
            self._lifecycle.fail(now, job, "error", error.detail)

    def stopped(self, now: float, job: Job, worker: Worker, stopped: Stopped) -> None:
        if stopped.reason == "deadline":
            self.overdue(now, job, worker)
        elif not worker.capacity or worker.name not in job.tried:
            job.tried.add(worker.name)  # it drains, or a cancel from an earlier lease came late
            self._lifecycle.requeue(now, job)
        else:
            self._lifecycle.jobs.rest(job, now + STOPPED_AGAIN_SECONDS)

    def overdue(self, now: float, job: Job, worker: Worker) -> None:
        detail = f"not done within {job.submit.deadline:g} seconds"
        self._retry_elsewhere(now, job, worker, "expired", detail)

    def lost(self, now: float, job: Job, worker: Worker) -> None:
        """The assignment never arrived, or the worker dropped it: no suspicion."""
        self._lifecycle.log("run lost", job, worker)
        job.tried.add(worker.name)
        self._lifecycle.requeue(now, job)

    def died(self, now: float, job: Job, worker: Worker, *, was_alone: bool) -> None:
        """The job may have killed its worker."""
        job.note_death(was_alone=was_alone)
        self._lifecycle.log("run died with its worker", job, worker)
        if job.is_deadly(self._config):
            self._lifecycle.make_dead_letter(now, job, worker)
        else:
            self._lifecycle.requeue(now, job)

    def refused(self, now: float, job: Job, got: Got) -> None:
        """Have the job done again, by another worker if there is one, else after a pause."""
        self._counters.rejected += 1
        job.rejections += 1
        name = job.done_by
        self._effects.warn("result refused", worker=name, job=job.id.hex(), reason=got.fault)
        self._lifecycle.jobs.reopen(job)
        if name:
            job.tried.add(name)
        is_elsewhere = self._is_elsewhere(job)
        if job.rejections >= self._config.rejections * (MANY_WORKERS if is_elsewhere else 1):
            self._faults.forgive(job)
            detail = f"{job.rejections} results were refused, the last of {name or '?'}"
            self._lifecycle.fail(now, job, "error", f"{detail}: {got.fault[:1000]}")
            return
        if name:
            self.isolate(now, self._faults.refused(now, job, name, got.fault, blame=got.blame))
        if is_elsewhere:
            self._lifecycle.requeue(now, job)
        else:
            pause = min(LONGEST_PAUSE, 2.0 ** (job.rejections - 1))
            self._lifecycle.jobs.rest(job, now + pause * self._rng.uniform(0.75, 1.25))

    def isolate(self, now: float, quarantined: Collection[str]) -> None:
        """Take the jobs from workers that are quarantined now; their slots stay taken until the
        cancelled runs have ended."""
        for worker in self._workers if quarantined else ():
            for job_id in list(worker.held) if worker.name in quarantined else ():
                job = self._lifecycle.jobs.get(job_id)
                if job is not None and job.worker is worker:
                    self._lifecycle.cancel_run(job)
                    job.tried.add(worker.name)
                    self._lifecycle.requeue(now, job)

    def _retry_elsewhere(
        self, now: float, job: Job, worker: Worker, kind: FailureKind, detail: str
    ) -> None:
        """Requeue what a worker did not do, unless as many as it takes have failed it."""
        job.tried.add(worker.name)
        job.failed_on.add(worker.name)
        if self._is_elsewhere(job) and len(job.failed_on) < self._config.elsewhere:
            self._lifecycle.log(f"job not done: {kind}", job, worker)
            self._lifecycle.requeue(now, job)
        else:
            self._lifecycle.fail(now, job, kind, detail)

    def _is_elsewhere(self, job: Job) -> bool:
        """Whether there is a worker that has not tried the job."""
        return any(w.is_usable and w.name not in job.tried for w in self._workers)
