"""The pool's state in figures."""

from collections import Counter

from brokers.pool_state import PoolState
from brokers.state import JobState, Worker
from rstar_async.wire.messages import Status, WorkerStatus


def status_of(
    state: PoolState,
    *,
    number: int,
    pool: str,
    epoch: bytes,
    uptime_seconds: float,
    now: float,
) -> Status:
    """Count everything; takes a moment for each job in memory."""
    states = Counter(job.state for job in state.jobs)
    return Status(
        number=number,
        pool=pool,
        epoch=epoch,
        uptime_seconds=uptime_seconds,
        queued=states[JobState.QUEUED] + states[JobState.RESTING],
        suspects=sum(job.is_suspect and job.state is JobState.QUEUED for job in state.jobs),
        leased=states[JobState.LEASED],
        retained=states[JobState.ENDED],
        unclaimed=len(state.orphans),
        clients=len(state.clients),
        workers=[_worker_status(worker, now) for worker in state.workers],
        counters=state.counters,
    )


def _worker_status(worker: Worker, now: float) -> WorkerStatus:
    standing = worker.standing
    left = max(0.0, standing.quarantined_until - now) if standing.is_quarantined else 0.0
    return WorkerStatus(
        worker.name,
        worker.capacity,
        len(worker.held),
        now - worker.heard_at,
        faults=len(standing.faults),
        quarantine_seconds=left,
    )
