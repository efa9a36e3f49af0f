"""The broker at a glance, for those who ask."""

from collections import Counter

from brokers.jobs import JobTable
from brokers.peers import Peers
from brokers.state import Client, State
from rstar_async.wire.messages import Status, WorkerStatus


def status_of(
    book: JobTable,
    clients: Peers[Client],
    *,
    number: int,
    pool: str,
    epoch: bytes,
    started: float,
    now: float,
) -> Status:
    """Count everything; takes a moment for each job in memory."""
    states = Counter(job.state for job in book.jobs.values())
    return Status(
        number=number,
        pool=pool,
        epoch=epoch,
        uptime_seconds=now - started,
        queued=states[State.QUEUED] + states[State.RESTING],
        suspects=sum(job.is_suspect and job.state is State.QUEUED for job in book.jobs.values()),
        leased=states[State.LEASED],
        retained=states[State.ENDED],
        unclaimed=len(book.claims),
        clients=len(clients),
        workers=[
            WorkerStatus(worker.name, worker.capacity, len(worker.held), now - worker.heard_at)
            for worker in book.workers
        ],
        counters=book.counters,
    )
