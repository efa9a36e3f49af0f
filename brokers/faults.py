"""Who is to blame for a job that was not done, or was done wrongly; what becomes of the standings.

Pure. A method that blames returns the names of the workers that are quarantined for it.
"""

from brokers.effects import EffectQueue
from brokers.standing import Standing, Standings
from brokers.state import BrokerConfig, Job
from rstar_async.wire.messages import Counters


class FaultKeeper:
    """Keeps the standings of all workers, and tells log and counters of changes."""

    def __init__(self, config: BrokerConfig, effects: EffectQueue, counters: Counters) -> None:
        self._standings = Standings(
            config.faults, config.faults_kept, config.quarantine, config.longest_quarantine
        )
        self._effects, self._counters = effects, counters

    def standing_of(self, name: str) -> Standing:
        return self._standings.of(name)

    def accepted(self, now: float, job: Job, *, others_failed: bool) -> list[str]:
        """The worker that did the job did it well; if `others_failed`, those that failed it before,
        or said otherwise, did not."""
        if job.done_by:
            self._standings.praise(job.done_by)
        if not job.failed_on and not job.doubted:
            return []
        failed = (job.failed_on | job.doubted) - {job.done_by} if others_failed else set()
        job.failed_on.clear()
        job.doubted.clear()
        why = "another worker could do the job"
        return [name for name in failed if self._blame(now, name, job.id, why)]

    def refused(self, now: float, job: Job, name: str, fault: str, *, blame: bool) -> list[str]:
        """The client refuses a result of this worker; without blame yet, it waits for what another
        worker says."""
        if not blame:
            job.doubted.add(name)
            return []
        return [name] if self._blame(now, name, job.id, fault) else []

    def malformed(self, now: float, name: str) -> list[str]:
        """The worker sent what is no message."""
        number = b"malformed %d" % self._counters.malformed
        return [name] if self._blame(now, name, number, "it sends what is no message") else []

    def forgive(self, job: Job) -> None:
        """A job whose results are refused whoever does it is itself at fault."""
        if len(job.tried) > 1:
            for name in job.tried:
                self._standings.forgive(name, job.id)

    def pass_time(self, now: float) -> None:
        for name in self._standings.pass_time(now):
            self._effects.log("quarantine over", worker=name)

    def _blame(self, now: float, name: str, job: bytes, reason: str) -> bool:
        if not self._standings.blame(now, name, job):
            return False
        self._counters.quarantines += 1
        seconds = round(self._standings.of(name).quarantined_until - now)
        self._effects.warn("worker quarantined", worker=name, seconds=seconds, reason=reason)
        return True
