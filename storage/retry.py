"""How long to wait for an unavailable database, and what to log meanwhile."""

import logging
import time

from storage.errors import Unavailable

log = logging.getLogger("rstar.storage")

FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
REMINDER_SECONDS = 30.0


class RetryPolicy:
    """Backoff: call `delay_after` each error and `succeeded` after each success.

    Tasks that wait for the same database may share one, so that the wait is logged once.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._since = 0.0
        self._logged_at = 0.0
        self._delay = FIRST_DELAY
        self.reason = ""

    def delay_after(self, error: Unavailable) -> float:
        """Seconds to wait before the next attempt; doubles up to `LONGEST_DELAY`."""
        now = time.monotonic()
        if not self.reason:
            self._since, self._delay = now, FIRST_DELAY
        if str(error) != self.reason or now - self._logged_at >= REMINDER_SECONDS:
            log.warning("store waits: %s; nothing is lost; store=%s", error, self._store)
            self._logged_at = now
        self.reason = str(error)
        delay, self._delay = self._delay, min(2 * self._delay, LONGEST_DELAY)
        return delay

    def succeeded(self) -> None:
        if self.reason:
            waited = time.monotonic() - self._since
            log.warning("store goes on after %.1f s; store=%s", waited, self._store)
        self.reason = ""
