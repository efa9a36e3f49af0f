"""What the ledger remembers: jobs, workers, clients, and the rules' numbers. No behaviour."""

from dataclasses import dataclass, field
from enum import Enum, auto

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
    retained: float = 600.0  # an ending nobody fetched is forgotten after this
    unclaimed: float = 30.0  # how long runs from before a restart wait for their Submit
    resend_ending: float = 5.0
    window: int = 4096  # unfinished jobs of one client
    retries: int = 3
    deaths: int = 3  # of workers that convict a job, if for the last two it was alone
    lonely_deaths: int = 2
    ward: int = 8  # jobs suspected of one death that may share a worker


class State(Enum):
    QUEUED = auto()
    RESTING = auto()  # waits out the pause before a retry
    LEASED = auto()
    ENDED = auto()


@dataclass(slots=True, eq=False)
class Job:
    """One job, from the first Submit to the last Got."""

    submit: Submit
    body: bytes
    seq: int
    owners: set[bytes]  # sessions of the clients that wait for it
    ticket: int = 0  # of its newest place in a queue
    state: State = State.QUEUED
    attempt: int = 0
    deaths: int = 0  # of workers that ran it
    lonely_deaths: int = 0  # of those, while they ran nothing else
    errors: int = 0
    worker: bytes | None = None  # session of the leaseholder
    queued_at: float = 0.0
    leased_at: float = 0.0
    due_at: float = 0.0  # when its lease expires or its rest ends
    ending: Finished | Failed | None = None
    result: bytes = b""
    told_at: float = 0.0

    @property
    def id(self) -> JobId:
        return self.submit.job

    @property
    def is_suspect(self) -> bool:
        return self.deaths > 0


@dataclass(slots=True, eq=False)
class Worker:
    """One worker process. `held` counts, for every job it runs, the beats that left it out."""

    session: bytes
    name: str
    peer: bytes
    capacity: int
    heard_at: float
    lost_at: float
    held: dict[JobId, int] = field(default_factory=dict)
    is_isolated: bool = False  # runs suspects; gets nothing else until it is empty
    is_reachable: bool = True  # False: the last word to it could not be sent, and it is silent

    @property
    def is_usable(self) -> bool:
        return self.is_reachable and self.capacity > 0

    @property
    def room(self) -> int:
        return self.capacity - len(self.held) if self.is_reachable else 0

    @property
    def load(self) -> float:
        return len(self.held) / self.capacity if self.capacity else 1.0


@dataclass(slots=True, eq=False)
class Client:
    """One client process and the jobs it waits for."""

    session: bytes
    name: str
    peer: bytes
    heard_at: float
    jobs: set[JobId] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class OrphanedRun:
    """A run from before the broker's restart, whose Submit has not come again yet."""

    worker: bytes | None
    finished: Finished | None = None
    result: bytes = b""
