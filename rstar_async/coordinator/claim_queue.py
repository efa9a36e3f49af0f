"""Which problems to claim next. Pure."""

from collections import deque
from collections.abc import Iterable

ASK_AGAIN_SECONDS = 1.0


class ClaimQueue:
    """The problems that this coordinator has not yet had, in order. Those that another coordinator
    has claimed are asked for again later: it may finish them, or die. `now` never decreases."""

    def __init__(self, problems: Iterable[str]) -> None:
        self._waiting = deque(problems)
        self._refused: deque[tuple[float, str]] = deque()  # when to ask again, the earliest first

    def __len__(self) -> int:
        return len(self._waiting) + len(self._refused)

    def next(self, most: int, now: float) -> list[str]:
        """Problems to ask for now, at most so many; they leave the queue."""
        while self._refused and self._refused[0][0] <= now:
            self._waiting.append(self._refused.popleft()[1])
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def refused(self, problems: Iterable[str], now: float) -> None:
        """Others have these: back into the queue."""
        self._refused.extend((now + ASK_AGAIN_SECONDS, problem) for problem in problems)

    def seconds_until_next(self, now: float) -> float:
        """How long to wait until there is something to ask for."""
        if self._waiting or not self._refused:
            return 0.0
        return max(0.0, self._refused[0][0] - now)
