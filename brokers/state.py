"""The broker's settings and records: jobs, workers and clients, each with the rules of its own."""

from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum, auto

from brokers.standing import Standing
from rstar_async.wire.messages import Failed, Finished, JobId, Submit


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """The protocol's numbers; times in seconds."""

    lease: float = 5.0  # a worker silent for longer has lost its jobs
    reconnect: float = 3.0  # the same, once its connection is known to be broken
    worker_beat: float = 1.0
    client_beat: float = 2.0
    client_gone: float = 30.0
    deadline_grace: float = 5.0  # for the worker to stop an overdue job itself
    retained: float = 600.0  # an ending that no client fetches is dropped after this
    unclaimed: float = 30.0  # how long runs from before a restart wait for their Submit
    resend_ending: float = 5.0
    window: int = 4096  # unfinished jobs of one client
    retries: int = 3
    deaths: int = 3  # workers that die running a job before it becomes a dead letter
    solo_deaths: int = 2  # of those, the deaths that must happen while the job runs alone
    affinity_follows: bool = False  # to the worker that had the last job; for one job at a time
    suspects: int = 8  # jobs suspected of one death that may share a worker
    elsewhere: int = 3  # workers that must fail a job before it fails, if there are so many
    rejections: int = 6  # results of a job that its client refuses before it fails; see failed_runs
    faults: int = 3  # jobs done wrong for which a worker is quarantined
    faults_kept: float = 600.0  # how long each of them counts
    quarantine: float = 60.0  # the first time; twice as long each further time
    longest_quarantine: float = 3600.0


class JobState(Enum):
    QUEUED = auto()
    RESTING = auto()  # waits out the pause before a retry
    LEASED = auto()
    ENDED = auto()


@dataclass(slots=True, eq=False)
class Worker:
    """One worker process. `held` counts, for every job it runs, the beats that left it out."""

    session: bytes
    name: str
    peer: bytes
    capacity: int
    heard_at: float
    lost_at: float
    standing: Standing = field(default_factory=Standing)
    held: dict[JobId, int] = field(default_factory=dict)
    is_for_suspects: bool = False  # gets nothing else until it is empty
    is_reachable: bool = True  # False: a message to it could not be sent, and it is silent since

    @property
    def is_usable(self) -> bool:
        return self.is_reachable and self.capacity > 0 and not self.standing.is_quarantined

    @property
    def free_slots(self) -> int:
        if not self.is_usable:
            return 0
        slots = 1 if self.standing.is_on_probation else self.capacity
        return slots - len(self.held)

    @property
    def load(self) -> float:
        return len(self.held) / self.capacity if self.capacity else 1.0

    def note_heard(self, now: float, lease: float) -> None:
        self.heard_at, self.lost_at = now, now + lease
        self.is_reachable = True

    def note_unreachable(self, until: float) -> None:
        """It must be heard again before `until`, or before its lease ends if that is earlier."""
        self.lost_at = min(self.lost_at, until)
        self.is_reachable = False

    def release(self, job: JobId) -> None:
        self.held.pop(job, None)
        if not self.held:
            self.is_for_suspects = False

    def missing_runs(self, running: Set[JobId]) -> list[JobId]:
        """Take in a beat; return the held jobs that this and the beat before left out."""
        missing = [job for job, left_out in self.held.items() if left_out and job not in running]
        for job in self.held:
            self.held[job] = 0 if job in running else 1
        return missing


@dataclass(slots=True, eq=False)
class Client:
    """One client process and the jobs it waits for; it has heard nothing yet of those that are
    `unacknowledged`."""

    session: bytes
    name: str
    peer: bytes
    heard_at: float
    jobs: set[JobId] = field(default_factory=set)
    unacknowledged: list[JobId] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Job:
    """One job, from the first Submit to the last Got."""

    submit: Submit
    body: bytes
    seq: int
    clients: set[Client]  # those that wait for it
    queue_entry: int = 0  # number of its newest place in a queue
    passed_over: int = 0  # by younger jobs, because its own worker was full
    state: JobState = JobState.QUEUED
    attempt: int = 0
    deaths: int = 0  # of workers that ran it
    solo_deaths: int = 0  # of those, while they ran nothing else
    errors: int = 0
    rejections: int = 0  # of its results, by clients
    tried: set[str] = field(default_factory=set)  # names of workers that did not do it
    failed_on: set[str] = field(default_factory=set)  # those that erred, stopped it, or ran over
    doubted: set[str] = field(default_factory=set)  # those whose results were refused without blame
    done_by: str = ""  # the name of the worker whose result it has
    worker: Worker | None = None  # the leaseholder
    queued_at: float = 0.0
    leased_at: float = 0.0
    due_at: float = 0.0  # when its lease expires or its rest ends
    ending: Finished | Failed | None = None
    result: bytes = b""
    ending_sent_at: float = 0.0
    id: JobId = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.submit.job

    @property
    def is_suspect(self) -> bool:
        return self.deaths > 0

    def note_death(self, *, was_alone: bool) -> None:
        self.deaths += 1
        self.solo_deaths += was_alone

    def is_deadly(self, config: BrokerConfig) -> bool:
        return self.deaths >= config.deaths and self.solo_deaths >= config.solo_deaths
