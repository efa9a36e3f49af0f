"""The broker's Prometheus metrics: its `Status` every second, and the times of each result."""

import msgspec

from rstar_async.telemetry.metrics import (
    BROKER_CAPACITY,
    BROKER_CLIENTS,
    BROKER_EVENTS,
    BROKER_JOBS,
    BROKER_QUARANTINED,
    BROKER_RUN,
    BROKER_WAIT,
    BROKER_WORKERS,
)
from rstar_async.wire.messages import Counters, Finished, Status

STATES = ("queued", "suspects", "leased", "retained", "unclaimed")


class BrokerMetrics:
    """One pool's metrics; cheap enough to be kept even if they are not served."""

    def __init__(self, pool: str) -> None:
        self._jobs = {state: BROKER_JOBS.labels(pool, state) for state in STATES}
        self._workers, self._capacity = BROKER_WORKERS.labels(pool), BROKER_CAPACITY.labels(pool)
        self._clients = BROKER_CLIENTS.labels(pool)
        self._quarantined = BROKER_QUARANTINED.labels(pool)
        self._events = {
            event: BROKER_EVENTS.labels(pool, event) for event in Counters.__struct_fields__
        }
        self._wait, self._run = BROKER_WAIT.labels(pool), BROKER_RUN.labels(pool)
        self._shown = dict.fromkeys(self._events, 0)

    def show(self, status: Status) -> None:
        """Set all gauges and counters to the figures of this moment."""
        for state, gauge in self._jobs.items():
            gauge.set(getattr(status, state))
        self._workers.set(len(status.workers))
        self._capacity.set(sum(worker.capacity for worker in status.workers))
        self._clients.set(status.clients)
        self._quarantined.set(sum(worker.quarantine_seconds > 0 for worker in status.workers))
        for event, count in msgspec.structs.asdict(status.counters).items():
            self._events[event].inc(count - self._shown[event])
            self._shown[event] = count

    def observe(self, finished: Finished) -> None:
        """Record the times of one result."""
        self._wait.observe(finished.waited)
        self._run.observe(finished.seconds)
