"""What a worker counts: its runs, and by kind what came of them."""

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

ENDINGS = ("done", "error", "retry", "cancelled", "deadline", "draining")


class WorkerGauges:
    """The runs of one worker in its pool, the name of which its broker says in the Welcome.

    How many run now is asked when somebody looks, in the thread that serves the metrics.
    """

    def __init__(self, pool: str, running: Callable[[], int], capacity: Callable[[], int]) -> None:
        WORKER_RUNNING.labels(pool).set_function(running)
        WORKER_CAPACITY.labels(pool).set_function(capacity)
        self._endings = {ending: WORKER_RUNS.labels(pool, ending) for ending in ENDINGS}
        self._seconds = WORKER_SECONDS.labels(pool)

    def count(self, word: Done | Error | Stopped, seconds: float) -> None:
        """A run has ended so."""
        self._endings[_ending(word)].inc()
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
