"""When to restart a process that died, and when to give up. Pure.

A process that lived long enough was healthy: its history begins anew. One that dies young is
restarted after waits that double, and given up after `deaths` young deaths in a row.
"""

import msgspec


class Backoff(msgspec.Struct, frozen=True):
    """The limits. The defaults wait for about fifteen seconds in all, not counting the lives."""

    # A life shorter than this is a young death.
    young_seconds: float = 20.0
    # Young deaths in a row after which the process is given up.
    deaths: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0


class RestartHistory:
    """The deaths of one process."""

    def __init__(self, backoff: Backoff) -> None:
        self.backoff = backoff
        self.young_deaths = 0

    def died(self, lived_seconds: float) -> float | None:
        """Note a death; return the seconds to wait before the next start, None to give up."""
        if lived_seconds >= self.backoff.young_seconds:
            self.young_deaths = 0
        self.young_deaths += 1
        if self.young_deaths >= self.backoff.deaths:
            return None
        wait = self.backoff.first_wait * 2.0 ** (self.young_deaths - 1)
        return min(wait, self.backoff.longest_wait)
