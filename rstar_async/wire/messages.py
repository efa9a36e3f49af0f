"""The headers that travel between clients, brokers and workers: the Lease protocol.

Every header is a msgpack map with a `type` field, so any msgpack library can read it. One union per
direction: a worker cannot submit, a client cannot finish. Each travels with a body, empty for most,
which is opaque here. The protocol evolves by adding fields with defaults; a tag is never reused,
and `PROTOCOL` changes only when an old peer would misunderstand.

`deadline` is always a duration: the seconds one run of the job may take, counted where it runs.
Clocks of two machines are never compared.
"""

from hashlib import blake2b
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

PROTOCOL = 2
MAX_JOBS = 10_000  # of one peer, so that a beat can list them

JobId: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]
Session: TypeAlias = Annotated[bytes, Meta(min_length=8, max_length=16)]
Epoch: TypeAlias = Annotated[bytes, Meta(min_length=8, max_length=8)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Group: TypeAlias = Annotated[str, Meta(max_length=200)]
Detail: TypeAlias = Annotated[str, Meta(max_length=4000)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=7 * 86400)]
Jobs: TypeAlias = Annotated[list[JobId], Meta(max_length=2 * MAX_JOBS)]
Capacity: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_JOBS)]
Priority: TypeAlias = Annotated[int, Meta(ge=-(2**31), le=2**31)]
Attempt: TypeAlias = Annotated[int, Meta(ge=0, le=2**31)]
FailureKind: TypeAlias = Literal["error", "dead", "expired", "cancelled"]
StopReason: TypeAlias = Literal["cancelled", "deadline", "draining"]


def job_id(*parts: str | int | bytes) -> JobId:
    """Derive a job's id from its content: the same parts give the same id in every process."""
    return blake2b(msgspec.msgpack.encode(parts), digest_size=16).digest()


class Header(msgspec.Struct, frozen=True, tag=str.lower, gc=False):
    """Base of all headers; the tag is the class name in lower case unless one is given."""


# client -> broker


class ClientHello(Header, frozen=True, tag="hello"):
    """Opens a connection. `session` is random and lives as long as the client's process."""

    protocol: int
    name: Name
    session: Session


class Submit(Header, frozen=True):
    """Asks for a job to be done; sent again until `Accepted` or ended, and after every broker
    restart."""

    job: JobId
    group: Group = ""
    affinity: Group = ""
    priority: Priority = 0
    deadline: Seconds = 600.0


class Cancel(Header, frozen=True):
    """This client no longer wants the job, or any of its jobs in the group. Not answered."""

    job: JobId | None = None
    group: Group | None = None


class Got(Header, frozen=True):
    """The ending of the job has arrived and need not be kept.

    With a `fault` the result of that `attempt` is no answer to the request: the job is to be done
    again by another worker, and with `blame` this counts at once against the one that sent it.
    Without a fault, `blame` says that those who failed the job before did wrong. The endings of
    `others` have arrived as well: each is as a `Got` of its own, without fault. A Got is no reason
    to send anything; it leaves with the client's next message.
    """

    job: JobId
    attempt: Attempt = 0
    fault: Detail = ""
    blame: bool = True
    others: Jobs = []


class ClientBeat(Header, frozen=True, tag="beat"):
    """All jobs the client still waits for: absolute, so a lost Cancel or result is made up for."""

    waiting: Jobs


class StatusAsk(Header, frozen=True):
    """Asks for a `Status` with the same number."""

    number: int


class ClientBye(Header, frozen=True, tag="bye"):
    """The client leaves; what it still waits for is cancelled."""


FromClient: TypeAlias = ClientHello | Submit | Cancel | Got | ClientBeat | StatusAsk | ClientBye


# broker -> client


class Welcome(Header, frozen=True):
    """Answers a Hello. A changed `epoch` means that the broker remembers nothing from before."""

    epoch: Epoch
    beat: Seconds
    window: int = 0
    pool: str = ""


class WhoAreYou(Header, frozen=True):
    """The broker does not know this peer (any more): it must send Hello again."""

    epoch: Epoch


class BrokerBeat(Header, frozen=True, tag="beat"):
    """The broker is alive."""

    epoch: Epoch


class Refused(Header, frozen=True):
    """The broker does not accept this peer; waiting will not help."""

    reason: Detail


class Accepted(Header, frozen=True):
    """The job is in the broker's memory, and so are the `others`.

    Of a job that is submitted again it is said at once, of a new one soon, unless it ends before.
    """

    job: JobId
    others: Jobs = []


class Finished(Header, frozen=True):
    """The job is done; the body is its result.

    `waited` are the seconds it was queued before its last lease, `seconds` those under that lease.
    """

    job: JobId
    attempt: Attempt
    worker: str
    seconds: float
    waited: float = 0.0


class Failed(Header, frozen=True):
    """The job has ended without a result."""

    job: JobId
    kind: FailureKind
    detail: Detail = ""


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker as the broker sees it now.

    `faults` counts the jobs that it did wrong lately; while it is quarantined for them,
    `quarantine_seconds` are left and it gets no jobs.
    """

    name: str
    capacity: int
    running: int
    silent_seconds: float
    faults: int = 0
    quarantine_seconds: float = 0.0


class Counters(msgspec.Struct, kw_only=True):
    """What has happened since the broker started."""

    submitted: int = 0
    attempts: int = 0
    finished: int = 0
    errors: int = 0
    dead: int = 0
    expired: int = 0
    cancelled: int = 0
    retries: int = 0
    redelivered: int = 0
    deaths: int = 0
    duplicates: int = 0
    malformed: int = 0
    rejected: int = 0
    quarantines: int = 0


class Status(Header, frozen=True):
    """The state of a broker in figures."""

    number: int
    pool: str
    epoch: Epoch
    uptime_seconds: float
    queued: int
    suspects: int
    leased: int
    retained: int
    unclaimed: int
    clients: int
    workers: list[WorkerStatus]
    counters: Counters


ToClientMessage: TypeAlias = (
    Welcome | WhoAreYou | BrokerBeat | Refused | Accepted | Finished | Failed | Status
)


# worker -> broker


class WorkerHello(Header, frozen=True, tag="hello"):
    """Opens a connection. The same session after a reconnect keeps its leases.

    `running`: the jobs it already has, so that none of them is assigned again.
    """

    protocol: int
    name: Name
    session: Session
    capacity: Capacity
    running: Jobs = []


class WorkerBeat(Header, frozen=True, tag="beat"):
    """All jobs that run here now, and how many may: absolute, so nothing can drift."""

    running: Jobs
    capacity: Capacity


class Done(Header, frozen=True):
    """The job ran to its end; the body is its result."""

    job: JobId
    attempt: Attempt


class Error(Header, frozen=True):
    """The job could not be done; `retryable` if another try may help."""

    job: JobId
    attempt: Attempt
    retryable: bool
    detail: Detail = ""


class Stopped(Header, frozen=True):
    """The run was stopped: cancelled, at its deadline, or by the end of a drain."""

    job: JobId
    attempt: Attempt
    reason: StopReason


class WorkerBye(Header, frozen=True, tag="bye"):
    """The worker leaves; the jobs it still holds go to others without suspicion."""


FromWorker: TypeAlias = WorkerHello | WorkerBeat | Done | Error | Stopped | WorkerBye


# broker -> worker


class Assign(Header, frozen=True):
    """Run this job, whose body follows, for at most `deadline` seconds."""

    job: JobId
    attempt: Attempt
    deadline: Seconds
    group: Group = ""
    affinity: Group = ""


class CancelRun(Header, frozen=True, tag="cancel"):
    """No client waits for this run: stop it and send `Stopped`. Idempotent."""

    job: JobId


class GroupEnded(Header, frozen=True):
    """No more jobs of this group will come; what is cached for it can be dropped."""

    group: Group


ToWorkerMessage: TypeAlias = (
    Welcome | WhoAreYou | BrokerBeat | Refused | Assign | CancelRun | GroupEnded
)
