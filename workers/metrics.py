"""A worker's metrics: its runs, how they ended, and what the jobs of each pool consumed."""

from collections.abc import Callable

from rstar_async.telemetry.metrics import (
    CACHED_TOKENS,
    GENERATED_TOKENS,
    PROGRAM_CPU,
    PROGRAMS,
    PROMPT_TOKENS,
    REUSED_STEPS,
    WORKER_CAPACITY,
    WORKER_RUNNING,
    WORKER_RUNS,
    WORKER_SECONDS,
)
from rstar_async.wire.messages import Done, Error, Stopped
from rstar_async.wire.payloads import Executed, Generated, Scored

RUN_ENDS = ("done", "error", "retry", "cancelled", "deadline", "draining")


class WorkerGauges:
    """The runs of one worker; `pool` is what its broker says in the Welcome.

    `running` and `capacity` are called by the thread that serves the metrics.
    """

    def __init__(self, pool: str, running: Callable[[], int], capacity: Callable[[], int]) -> None:
        WORKER_RUNNING.labels(pool).set_function(running)
        WORKER_CAPACITY.labels(pool).set_function(capacity)
        self._run_ends = {end: WORKER_RUNS.labels(pool, end) for end in RUN_ENDS}
        self._seconds = WORKER_SECONDS.labels(pool)

    def count(self, reply: Done | Error | Stopped, seconds: float) -> None:
        """A run has ended with this reply."""
        self._run_ends[_end_of(reply)].inc()
        self._seconds.observe(seconds)


def count_generated(generated: Generated) -> None:
    """Tokens in, from the cache, and out."""
    PROMPT_TOKENS.labels("inference").inc(generated.prompt_tokens)
    CACHED_TOKENS.labels("inference").inc(generated.cached_tokens)
    sampled = sum(len(sample.tokens) for sample in generated.samples)
    GENERATED_TOKENS.labels("inference").inc(sampled)


def count_scored(scored: Scored) -> None:
    """Tokens in, and from the cache."""
    PROMPT_TOKENS.labels("reward").inc(scored.prompt_tokens)
    CACHED_TOKENS.labels("reward").inc(scored.cached_tokens)


def count_executed(executed: Executed) -> None:
    """One executed program."""
    PROGRAMS.labels(executed.status).inc()
    PROGRAM_CPU.labels(executed.status).inc(max(0.0, executed.cpu_seconds))
    REUSED_STEPS.labels(executed.status).inc(executed.reused_steps)


def _end_of(reply: Done | Error | Stopped) -> str:
    match reply:
        case Done():
            return "done"
        case Error(retryable=retryable):
            return "retry" if retryable else "error"
        case Stopped(reason=reason):
            return reason
