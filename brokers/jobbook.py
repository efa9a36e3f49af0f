"""The life of a job: submitted, leased, perhaps lost and leased again, ended once, forgotten.

Invariants. A job has one leaseholder at most and ends at most once; its first ending is told to
every client that waits for it. A job nobody waits for is forgotten, and its run cancelled. A slot
of a worker is free only when the worker says so or its beats leave the job out twice: a cancelled
run occupies its slot until it has really stopped.
"""

import random
from collections import deque

from brokers.assignment import Assigner
from brokers.claims import Claims
from brokers.effects import Effect, Letter, Note, ToClient, ToWorker
from brokers.records import Client, Job, Rules, State, Worker
from brokers.roster import Roster
from brokers.timers import Timers
from rstar_async.wire.messages import (
    Accepted,
    Assign,
    CancelRun,
    Counters,
    Done,
    Error,
    Failed,
    FailureKind,
    Finished,
    JobId,
    Stopped,
    Submit,
)


class JobBook:
    """All jobs of one pool. Methods append what must be told to `effects`."""

    def __init__(
        self, now: float, rules: Rules, clients: Roster[Client], rng: random.Random
    ) -> None:
        self.effects: list[Effect] = []
        self.jobs: dict[JobId, Job] = {}
        self.claims = Claims(now + rules.unclaimed)
        self.counters = Counters()
        self.workers: Roster[Worker] = Roster()
        self._assigner = Assigner(rules.ward)
        self._clients, self._rules, self._rng = clients, rules, rng
        self._timers = Timers()
        self._ended: deque[tuple[float, Job]] = deque()
        self._seq = 0

    # what clients do

    def submit(self, now: float, client: Client, submit: Submit, body: bytes) -> None:
        """Accept a job, or one more wish for a known one. Beyond the window: silence, no loss."""
        if submit.job not in client.jobs and len(client.jobs) >= self._rules.window:
            return
        self.effects.append(ToClient(client.peer, Accepted(submit.job)))
        job = self.jobs.get(submit.job)
        is_new = job is None
        if job is None:
            job = self.jobs[submit.job] = Job(submit, body, self._seq)
            self._seq += 1
            self.counters.submitted += 1
        job.owners.add(client.session)
        client.jobs.add(job.id)
        if is_new:
            self._start(now, job)
        elif job.ending is not None:
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

    # what workers do

    def add_worker(self, worker: Worker) -> None:
        self.workers.add(worker)
        self._assigner.add_worker(worker)

    def remove_worker(self, now: float, worker: Worker, *, by_death: bool) -> None:
        """Give everything it held to others; if it died, under suspicion."""
        self.workers.remove(worker)
        self._assigner.remove_worker(worker)
        was_alone = len(worker.held) == 1
        for job_id in list(worker.held):
            job = self._take_back(worker, job_id)
            if job is not None and by_death:
                self._suspect(now, job, worker, was_alone=was_alone)
            elif job is not None:
                self._requeue(job)

    def beat(self, now: float, worker: Worker, running: set[JobId]) -> None:
        """Compare what the worker runs with what it should run, and mend the difference."""
        for job_id in list(worker.held):
            if job_id in running:
                worker.held[job_id] = 0
                self._stop_if_unwanted(worker, job_id)
            elif worker.held[job_id]:
                self._lose(worker, job_id)
            else:
                worker.held[job_id] = 1
        for job_id in running - worker.held.keys():
            self._find(now, worker, job_id)

    def done(self, now: float, worker: Worker | None, message: Done, body: bytes) -> None:
        """The first result wins, whoever brings it under whatever attempt."""
        if worker is not None:
            self._let_go(worker, message.job)
        job = self.jobs.get(message.job)
        name = worker.name if worker is not None else "?"
        finished = Finished(
            message.job, message.attempt, name, now - job.leased_at if job is not None else 0.0
        )
        if job is not None and job.state is not State.ENDED:
            self._finish(now, job, finished, body)
        elif job is not None or not self.claims.add_result(now, finished, body):
            self.counters.duplicates += 1

    def error(self, now: float, worker: Worker, message: Error) -> None:
        job = self._take_back(worker, message.job)
        if job is None:
            return
        if not message.retryable or job.errors >= self._rules.retries:
            self._fail(now, job, "error", message.detail)
            return
        job.errors += 1
        job.state = State.RESTING
        self.counters.retries += 1
        pause = 2 ** (job.errors - 1) * self._rng.uniform(0.75, 1.25)
        self._timers.set(now + pause, "retry", job)

    def stopped(self, now: float, worker: Worker, message: Stopped) -> None:
        job = self._take_back(worker, message.job)
        if job is None:
            return
        if message.reason == "deadline":
            self._expire(now, job)
        else:
            self._requeue(job)

    # what time does

    def pass_time(self, now: float) -> None:
        for timer in self._timers.pop_due(now):
            job = timer.job
            if timer.due == "retry" and job.state is State.RESTING:
                self._queue(job)
            elif (
                timer.due == "expire" and job.state is State.LEASED and job.attempt == timer.attempt
            ):
                self._expire(now, job)
        while self._ended and self._ended[0][0] + self._rules.retained <= now:
            _, job = self._ended.popleft()
            if self.jobs.get(job.id) is job:
                self._forget(job)
        self._drop_unclaimed(now)

    def assign(self, now: float) -> None:
        """Lease what can be leased."""
        for job, worker in self._assigner.assignments():
            self._lease(now, job, worker)
            submit = job.submit
            assign = Assign(job.id, job.attempt, submit.deadline, submit.group, submit.affinity)
            self.effects.append(ToWorker(worker.peer, assign, job.body))

    # transitions

    def _start(self, now: float, job: Job) -> None:
        """Queue a new job, unless it ran or runs already since before a restart."""
        claim = self.claims.pop(job.id)
        worker = self.workers.get(claim.worker) if claim is not None else None
        if claim is not None and claim.finished is not None:
            self._finish(now, job, claim.finished, claim.result)
        elif worker is not None:
            self._lease(now, job, worker)
        else:
            self._queue(job)

    def _queue(self, job: Job) -> None:
        job.state, job.worker = State.QUEUED, None
        self._assigner.push(job)

    def _requeue(self, job: Job) -> None:
        self.counters.redelivered += 1
        self._queue(job)

    def _lease(self, now: float, job: Job, worker: Worker) -> None:
        job.state, job.worker, job.leased_at = State.LEASED, worker.session, now
        job.attempt += 1
        worker.held[job.id] = 0
        deadline = job.submit.deadline + self._rules.deadline_grace
        self._timers.set(now + deadline, "expire", job)

    def _end(self, now: float, job: Job, ending: Finished | Failed, result: bytes | None) -> None:
        self._cancel_run(job)
        job.state, job.worker, job.body = State.ENDED, None, b""
        job.ending, job.result = ending, result
        self._ended.append((now, job))
        for session in job.owners:
            if (client := self._clients.get(session)) is not None:
                self.tell_ending(now, client, job)

    def _finish(self, now: float, job: Job, finished: Finished, result: bytes | None) -> None:
        self.counters.finished += 1
        self._end(now, job, finished, result)

    def _fail(self, now: float, job: Job, kind: FailureKind, detail: str) -> None:
        if kind == "error":
            self.counters.errors += 1
        self._end(now, job, Failed(job.id, kind, detail), None)

    def _expire(self, now: float, job: Job) -> None:
        self.counters.expired += 1
        self._fail(now, job, "expired", f"not done within {job.submit.deadline:g} seconds")

    def _forget(self, job: Job) -> None:
        if job.state is not State.ENDED:
            self.counters.cancelled += 1
            self._cancel_run(job)
        del self.jobs[job.id]
        for session in job.owners:
            if (client := self._clients.get(session)) is not None:
                client.jobs.discard(job.id)
        job.state, job.body, job.result = State.ENDED, b"", None  # a queue may still hold it

    def _cancel_run(self, job: Job) -> None:
        worker = self.workers.get(job.worker)
        if worker is not None and job.id in worker.held:
            self.effects.append(ToWorker(worker.peer, CancelRun(job.id)))

    # runs on workers

    def _find(self, now: float, worker: Worker, job_id: JobId) -> None:
        """A worker runs what we did not give it: from before a restart, or after we gave it up."""
        worker.held[job_id] = 0
        job = self.jobs.get(job_id)
        if job is not None and job.state is State.QUEUED:
            self._lease(now, job, worker)
        elif job is not None or not self.claims.add_run(now, job_id, worker):
            self._stop_if_unwanted(worker, job_id)

    def _stop_if_unwanted(self, worker: Worker, job_id: JobId) -> None:
        job = self.jobs.get(job_id)
        is_leased = job is not None and job.worker == worker.session
        if not is_leased and not self.claims.is_of(job_id, worker):
            self.effects.append(ToWorker(worker.peer, CancelRun(job_id)))

    def _take_back(self, worker: Worker, job_id: JobId) -> Job | None:
        """Free the slot; return the job if it was leased to this worker."""
        self._let_go(worker, job_id)
        self.claims.drop_run(job_id, worker)
        job = self.jobs.get(job_id)
        return job if job is not None and job.worker == worker.session else None

    def _let_go(self, worker: Worker, job_id: JobId) -> None:
        worker.held.pop(job_id, None)
        if not worker.held:
            worker.is_isolated = False

    def _lose(self, worker: Worker, job_id: JobId) -> None:
        """The assignment never arrived, or the worker dropped it."""
        job = self._take_back(worker, job_id)
        if job is not None:
            self._requeue(job)

    def _suspect(self, now: float, job: Job, worker: Worker, *, was_alone: bool) -> None:
        job.deaths += 1
        job.lonely_deaths += was_alone
        rules = self._rules
        if job.deaths >= rules.deaths and job.lonely_deaths >= rules.lonely_deaths:
            self._bury(now, job, worker)
        else:
            self._requeue(job)

    def _bury(self, now: float, job: Job, worker: Worker) -> None:
        detail = f"{job.deaths} workers died running it, the last was {worker.name}"
        self.counters.dead += 1
        self.effects.append(Letter(job.submit, job.body, job.deaths, detail))
        self.effects.append(Note(f"job buried: job={job.id.hex()} {detail}"))
        self._fail(now, job, "dead", detail)

    def _drop_unclaimed(self, now: float) -> None:
        for job_id, claim in self.claims.pop_overdue(now).items():
            worker = self.workers.get(claim.worker)
            if worker is not None:
                self.effects.append(ToWorker(worker.peer, CancelRun(job_id)))
