"""How far a worker can be trusted, by what became of its jobs. Pure.

A worker is blamed for a result that the client refuses, and for a job that it failed and another
worker did. For faults in several jobs it is quarantined: it gets no jobs, and those it has go to
others. Afterwards it is on probation, one job at a time, until one of its results is accepted; a
fault on probation quarantines it again, for twice as long.

Standings belong to names, so a worker that reconnects or starts again keeps its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_NAMES = 10_000


@dataclass(slots=True)
class Standing:
    """Of one worker. `faults` are the jobs it did wrong, each with the time.

    `is_proven`: a result of it was accepted since its last fault.
    """

    faults: dict[bytes, float] = field(default_factory=dict)
    quarantines: int = 0
    quarantined_until: float = 0.0
    is_quarantined: bool = False
    is_on_probation: bool = False
    is_proven: bool = False

    @property
    def is_spotless(self) -> bool:
        return not (self.faults or self.quarantines)


class Standings:
    """The standing of every worker by name; times in seconds."""

    def __init__(self, faults: int, kept: float, quarantine: float, longest: float) -> None:
        self._most_faults, self._kept = faults, kept
        self._quarantine, self._longest = quarantine, longest
        self._by_name: dict[str, Standing] = {}

    def of(self, name: str) -> Standing:
        if (standing := self._by_name.get(name)) is None:
            if len(self._by_name) >= MOST_NAMES:
                self._forget_one()
            standing = self._by_name[name] = Standing()
        return standing

    def blame(self, now: float, name: str, job: bytes) -> bool:
        """Count a fault; True if the worker is quarantined for it."""
        standing = self.of(name)
        standing.is_proven = False
        standing.faults[job] = now
        if standing.is_quarantined:
            return False
        if len(standing.faults) < self._most_faults and not standing.is_on_probation:
            return False
        seconds = min(self._longest, self._quarantine * 2.0**standing.quarantines)
        standing.quarantined_until = now + seconds
        standing.quarantines = min(standing.quarantines + 1, 30)
        standing.is_quarantined, standing.is_on_probation = True, False
        return True

    def forgive(self, name: str, job: bytes) -> None:
        """The job was at fault, not the worker."""
        standing = self.of(name)
        standing.faults.pop(job, None)
        if standing.is_quarantined and len(standing.faults) < self._most_faults:
            standing.is_quarantined, standing.is_on_probation = False, True

    def praise(self, name: str) -> None:
        """A result of the worker was accepted."""
        standing = self.of(name)
        standing.is_proven = True
        if standing.is_on_probation:
            standing.is_on_probation = False
            standing.faults.clear()

    def pass_time(self, now: float) -> Iterator[str]:
        """Forget old faults; yield the workers whose quarantine ends now."""
        for name, standing in self._by_name.items():
            if standing.is_quarantined and standing.quarantined_until <= now:
                standing.is_quarantined, standing.is_on_probation = False, True
                standing.faults.clear()
                yield name
            old = [job for job, at in standing.faults.items() if at + self._kept <= now]
            for job in old:
                del standing.faults[job]

    def _forget_one(self) -> None:
        """The one that was first named of those without faults; of all, if there is none."""
        spotless = (name for name, standing in self._by_name.items() if standing.is_spotless)
        del self._by_name[next(spotless, next(iter(self._by_name)))]
