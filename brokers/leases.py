"""The work floor: what each worker really runs, held against what it should run.

Beats are absolute, so every difference is mended at the next one: a lost assignment is given out
again, a run we gave up is cancelled, a run from before a restart is claimed. A slot is free only
when the worker says so or its beats leave the job out twice: a cancelled run occupies its slot
until it has really stopped, and its worker is not given the same job meanwhile.
"""

import random

from brokers.effects import LogEvent, ToWorker, WriteDeadLetter
from brokers.jobs import JobTable
from brokers.scheduler import Scheduler
from brokers.state import BrokerConfig, Job, State, Worker
from rstar_async.wire.messages import (
    Assign,
    CancelRun,
    Done,
    Error,
    Finished,
    JobId,
    Stopped,
)


class Leases:
    """All runs of one pool's jobs."""

    def __init__(
        self, rules: BrokerConfig, book: JobTable, assigner: Scheduler, rng: random.Random
    ) -> None:
        self._rules, self._book, self._assigner, self._rng = rules, book, assigner, rng

    def add(self, worker: Worker) -> None:
        self._book.workers.add(worker)
        self._assigner.add_worker(worker)

    def remove(self, now: float, worker: Worker, *, by_death: bool) -> None:
        """Give everything it held to others; if it died, under suspicion."""
        self._book.workers.remove(worker)
        self._assigner.remove_worker(worker)
        was_alone = len(worker.held) == 1
        for job_id in list(worker.held):
            job = self._take_back(worker, job_id)
            if job is not None and by_death:
                self._suspect(now, job, worker, was_alone=was_alone)
            elif job is not None:
                self._book.requeue(now, job)

    def assign(self, now: float) -> None:
        """Lease what can be leased."""
        for job, worker in self._assigner.assignments():
            self._book.lease(now, job, worker)
            submit = job.submit
            assign = Assign(job.id, job.attempt, submit.deadline, submit.group, submit.affinity)
            self._book.effects.append(ToWorker(worker.peer, assign, job.body))

    def never_left(self, now: float, worker: Worker, job_id: JobId) -> None:
        """An assignment that could not be sent: nothing runs, nobody is to blame."""
        self._lose(now, worker, job_id)

    # what workers say

    def beat(self, now: float, worker: Worker, running: set[JobId]) -> None:
        """Compare and mend."""
        for job_id in list(worker.held):
            if job_id in running:
                worker.held[job_id] = 0
                self._stop_if_unwanted(worker, job_id)
            elif worker.held[job_id]:
                self._lose(now, worker, job_id)
            else:
                worker.held[job_id] = 1
        for job_id in running - worker.held.keys():
            self._find(now, worker, job_id)

    def done(self, now: float, worker: Worker | None, message: Done, body: bytes) -> None:
        """The first result wins, whoever brings it under whatever attempt."""
        if worker is not None:
            self._let_go(worker, message.job)
        job = self._book.jobs.get(message.job)
        name = worker.name if worker is not None else "?"
        seconds = waited = 0.0
        if job is not None and job.attempt:
            seconds, waited = now - job.leased_at, max(0.0, job.leased_at - job.queued_at)
        finished = Finished(message.job, message.attempt, name, seconds, waited)
        if job is not None and job.state is not State.ENDED:
            self._book.finish(now, job, finished, body)
        elif job is not None or not self._book.claims.add_result(now, finished, body):
            self._book.counters.duplicates += 1

    def error(self, now: float, worker: Worker, message: Error) -> None:
        job = self._take_back(worker, message.job)
        if job is None:
            return
        if message.retryable and job.errors < self._rules.retries:
            job.errors += 1
            pause = 2 ** (job.errors - 1) * self._rng.uniform(0.75, 1.25)
            self._book.rest(now + pause, job)
        else:
            self._book.fail(now, job, "error", message.detail)

    def stopped(self, now: float, worker: Worker, message: Stopped) -> None:
        job = self._take_back(worker, message.job)
        if job is None:
            return
        if message.reason == "deadline":
            self._book.expire(now, job)
        else:
            self._book.requeue(now, job)

    def drop_unclaimed(self, now: float) -> None:
        """Cancel runs that nobody has submitted since the broker started."""
        for job_id, claim in self._book.claims.pop_overdue(now).items():
            worker = self._book.workers.get(claim.worker)
            if worker is not None:
                self._cancel(worker, job_id)

    # differences

    def _find(self, now: float, worker: Worker, job_id: JobId) -> None:
        """A worker runs what we did not give it: from before a restart, or after we gave it up."""
        worker.held[job_id] = 0
        job = self._book.jobs.get(job_id)
        if job is not None and job.state is State.QUEUED:
            self._book.lease(now, job, worker)
        elif job is not None or not self._book.claims.add_run(now, job_id, worker):
            self._stop_if_unwanted(worker, job_id)

    def _lose(self, now: float, worker: Worker, job_id: JobId) -> None:
        """The assignment never arrived, or the worker dropped it."""
        job = self._take_back(worker, job_id)
        if job is not None:
            self._note("run lost", job, worker)
            self._book.requeue(now, job)

    def _stop_if_unwanted(self, worker: Worker, job_id: JobId) -> None:
        job = self._book.jobs.get(job_id)
        is_leased = job is not None and job.worker == worker.session
        if not is_leased and not self._book.claims.is_of(job_id, worker):
            self._cancel(worker, job_id)

    def _cancel(self, worker: Worker, job_id: JobId) -> None:
        self._book.effects.append(ToWorker(worker.peer, CancelRun(job_id)))

    def _take_back(self, worker: Worker, job_id: JobId) -> Job | None:
        """Free the slot; return the job if it was leased to this worker."""
        self._let_go(worker, job_id)
        self._book.claims.drop_run(job_id, worker)
        job = self._book.jobs.get(job_id)
        return job if job is not None and job.worker == worker.session else None

    def _let_go(self, worker: Worker, job_id: JobId) -> None:
        worker.held.pop(job_id, None)
        if not worker.held:
            worker.is_isolated = False

    # deaths

    def _suspect(self, now: float, job: Job, worker: Worker, *, was_alone: bool) -> None:
        job.deaths += 1
        job.lonely_deaths += was_alone
        self._note("run died with its worker", job, worker)
        rules = self._rules
        if job.deaths >= rules.deaths and job.lonely_deaths >= rules.lonely_deaths:
            self._bury(now, job, worker)
        else:
            self._book.requeue(now, job)

    def _bury(self, now: float, job: Job, worker: Worker) -> None:
        detail = f"{job.deaths} workers died running it, the last was {worker.name}"
        self._book.counters.dead += 1
        self._book.effects.append(WriteDeadLetter(job.submit, job.body, job.deaths, detail))
        self._note("job buried", job, worker)
        self._book.fail(now, job, "dead", detail)

    def _note(self, event: str, job: Job, worker: Worker) -> None:
        facts: dict[str, str | int] = {
            "job": job.id.hex(),
            "tree": job.submit.group,
            "worker": worker.name,
            "attempt": job.attempt,
            "deaths": job.deaths,
        }
        self._book.effects.append(LogEvent(event, facts))
