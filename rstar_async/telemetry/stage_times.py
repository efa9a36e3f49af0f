"""How long a stage takes: elapsed, estimated, and the rate of tokens. Pure."""

from collections import deque
from dataclasses import dataclass, field

RATE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One bar: `done` of `total` (0: not known yet), with a note beside it.

    `tokens` were sampled so far, None where none are; `ended`: nothing will be added. `began`:
    seconds since 1970, None if that is not known.
    """

    title: str
    done: int
    total: int
    note: str = ""
    tokens: int | None = None
    ended: bool = False
    began: float | None = None


@dataclass(slots=True)
class StageTimes:
    """The clock of one stage, from when it was first seen; `now` is in seconds of any clock.

    What was done before that, by a run that goes on, does not count for the estimate.
    """

    started: float
    first_done: int
    moved: float = 0.0
    ended: float | None = None
    _done: int = 0
    _tokens: deque[tuple[float, int]] = field(default_factory=deque)

    @classmethod
    def of(cls, stage: Stage, now: float) -> "StageTimes":
        times = cls(now, stage.done, moved=now, _done=stage.done)
        times.update(stage, now)
        return times

    def update(self, stage: Stage, now: float) -> None:
        """Note how far the stage is now."""
        if stage.done != self._done:
            self._done, self.moved = stage.done, now
        if stage.ended and self.ended is None:
            self.ended = now
        if stage.tokens is not None:
            self._tokens.append((now, stage.tokens))
            while now - self._tokens[0][0] > RATE_SECONDS:
                self._tokens.popleft()

    def elapsed(self, now: float) -> float:
        return (self.ended if self.ended is not None else now) - self.started

    def remaining(self, stage: Stage, now: float) -> float | None:
        """Estimated seconds, None before there is anything to judge by."""
        done = stage.done - self.first_done
        if stage.ended or not stage.total or done <= 0:
            return None
        return self.elapsed(now) * (stage.total - stage.done) / done

    def tokens_per_second(self) -> float | None:
        """Over the last seconds."""
        if len(self._tokens) < 2:
            return None
        (since, before), (until, after) = self._tokens[0], self._tokens[-1]
        return (after - before) / (until - since) if until > since else None


def clock(seconds: float) -> str:
    """`1:05`, `2:03:04`; 0:00 for a time ahead, by a clock that is a little behind."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
