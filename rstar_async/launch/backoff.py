"""How often a dying process is started again, and when to give up. Pure: seconds in, answer out.

A process that lived long enough was healthy and begins anew with full credit. One that dies young
is tried again after waits that double, and given up after `deaths` young deaths in a row, so
restarts cannot spin.
"""

import msgspec


class Backoff(msgspec.Struct, frozen=True):
    """The limits. The defaults try for about fifteen seconds, not counting the lives themselves."""

    # A life shorter than this is a young death.
    young_seconds: float = 20.0
    # That many in a row are enough.
    deaths: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0


class RestartHistory:
    """The deaths of one process."""

    def __init__(self, patience: Backoff) -> None:
        self.patience = patience
        self.young_deaths = 0

    def died(self, lived_seconds: float) -> float | None:
        """Note a death; return the seconds to wait before the next start, None to give up."""
        if lived_seconds >= self.patience.young_seconds:
            self.young_deaths = 0
        self.young_deaths += 1
        if self.young_deaths >= self.patience.deaths:
            return None
        wait = self.patience.first_wait * 2.0 ** (self.young_deaths - 1)
        return min(wait, self.patience.longest_wait)
