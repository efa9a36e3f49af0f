"""The continuous batch of a simulated engine: who is in it, and when who is done. Pure.

Time advances by quanta of a few decoding steps, at whose ends sequences leave and others join; an
engine does so after every step, so what is simulated here reacts a little later than a real one.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.saturation.curve import Curve

QUANTUM = 4  # tokens; lengths are rounded up to these


@dataclass
class Request:
    """One job: a sequence for each length, all with the same prompt, of which `fresh` tokens are
    in no cache."""

    lengths: Sequence[int]
    prompt: int
    fresh: int
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.lengths)


@dataclass
class Totals:
    """Seconds with at least one sequence, tokens generated, sequences that ended."""

    busy: float = 0.0
    tokens: int = 0
    sequences: int = 0

    def since(self, earlier: "Totals") -> "Totals":
        return Totals(
            self.busy - earlier.busy,
            self.tokens - earlier.tokens,
            self.sequences - earlier.sequences,
        )

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.busy + other.busy,
            self.tokens + other.tokens,
            self.sequences + other.sequences,
        )


class Batch:
    """At most `limit` sequences; others wait in order."""

    def __init__(self, curve: Curve, limit: int) -> None:
        self.totals = Totals()
        self._curve, self._limit = curve, limit
        self._decoded = 0  # tokens of a sequence that was here from the beginning
        self._running: list[tuple[int, int, int, Request]] = []  # end, number, length
        self._waiting: deque[tuple[int, Request]] = deque()
        self._context = 0
        self._prefill = 0.0
        self._number = 0

    def add(self, request: Request) -> None:
        self._prefill += request.fresh * self._curve.prefill
        for length in request.lengths:
            self._waiting.append((-(-length // QUANTUM) * QUANTUM, request))

    def begin_quantum(self) -> float | None:
        """Let in who waits; the seconds until the quantum ends, or None if there is nobody."""
        while self._waiting and len(self._running) < self._limit:
            length, request = self._waiting.popleft()
            self._number += 1
            end = self._decoded + length
            heapq.heappush(self._running, (end, self._number, length, request))
            self._context += request.prompt
        size = len(self._running)
        if not size:
            return None
        step = self._curve.decoding_seconds(size, self._context)
        seconds = self._prefill + QUANTUM * step
        self._prefill = 0.0
        self.totals.busy += seconds
        self.totals.tokens += QUANTUM * size
        return seconds

    def end_quantum(self) -> list[Request]:
        """The requests whose last sequence has ended."""
        self._decoded += QUANTUM
        self._context += QUANTUM * len(self._running)
        done = []
        while self._running and self._running[0][0] <= self._decoded:
            _, _, length, request = heapq.heappop(self._running)
            self._context -= request.prompt + length
            request.left -= 1
            self.totals.sequences += 1
            if not request.left:
                done.append(request)
        return done
