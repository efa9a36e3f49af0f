"""What a worker counts: its runs, and by kind what came of them."""

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


class WorkerGauges:
    """The runs of one worker. Its broker says in the Welcome which pool that is."""

    def __init__(self) -> None:
        self.pool = ""

    def show(self, running: int, capacity: int) -> None:
        if self.pool:
            WORKER_RUNNING.labels(self.pool).set(running)
            WORKER_CAPACITY.labels(self.pool).set(capacity)

    def count(self, word: Done | Error | Stopped, seconds: float) -> None:
        """A run has ended so."""
        WORKER_RUNS.labels(self.pool, _ending(word)).inc()
        WORKER_SECONDS.labels(self.pool).observe(seconds)


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
    """One program's outcome."""
    PROGRAMS.labels(executed.status).inc()
    PROGRAM_CPU.labels(executed.status).inc(max(0.0, executed.cpu_seconds))
    REUSED_STEPS.labels(executed.status).inc(executed.reused_steps)


def _ending(word: Done | Error | Stopped) -> str:
    match word:
        case Done():
            return "done"
        case Error(retryable=retryable):
            return "retry" if retryable else "error"
        case Stopped(reason=reason):
            return reason
