"""The batch node's part: takes the run's lock, finds ports, runs everything, leaves nothing.

A job that Slurm queued again may start while its former self still lives on a node that only lost
its network. So every start writes `HOME/slurm/claim.json`; one that finds another's claim there
stops, and frees the lock that the new one waits for.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trio

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.launch.endpoints_file import (
    RunEndpoints,
    remove_endpoints,
    touch_endpoints,
    write_endpoints,
)
from rstar_async.launch.home import prepare_home, write_private
from rstar_async.launch.lock import RunLock
from rstar_async.launch.network import TCPEndpoints
from rstar_async.launch.ports import ports_of_pools, reserved_ports
from rstar_async.launch.processes import Places, ProcessSpec
from rstar_async.launch.slurm.job_file import folder_of
from rstar_async.launch.slurm.processes import job_processes
from rstar_async.launch.supervisor import DEFAULT_BACKOFF, Supervisor, print_status
from rstar_async.wire.payloads import POOLS

LOCK_SECONDS = 120.0
LOOK_SECONDS = 5.0
SUPERSEDED = 1
SIGNALLED = 128


class Claim(msgspec.Struct, frozen=True):
    """One start of one job."""

    job: str
    restart: int
    host: str
    pid: int

    @classmethod
    def of_this_process(cls) -> "Claim":
        job = os.environ.get("SLURM_JOB_ID", "")
        restart = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
        return cls(job, restart, socket.gethostname(), os.getpid())

    def __str__(self) -> str:
        return f"job {self.job}, start {self.restart + 1}, on {self.host} (pid {self.pid})"


def lead(recipe: Recipe) -> int:
    """Run the recipe in this allocation to its end; the exit code (see `supervisor`).

    `BadInput` if another process holds the run's home for more than two minutes.
    """
    home, claim = recipe.home_folder, Claim.of_this_process()
    nodes = int(os.environ.get("SLURM_JOB_NUM_NODES", "1"))
    write_private(claim_file(home), claim)
    with lock_once_free(home), reserved_ports(2 * len(POOLS) + 1) as ports:
        network = TCPEndpoints(_address(recipe), ports_of_pools(ports), str(home / "keys"))
        places = Places(home, recipe.models_folder, network, prepare_home(recipe))
        specs = job_processes(recipe, places, nodes, ports[-1])
        write_endpoints(home, RunEndpoints(str(claim), network))
        try:
            code = trio.run(run_claimed, specs, places.logs, claim)
        finally:
            remove_endpoints(home)
        if code < SIGNALLED and _is_latest(home, claim):
            write_endpoints(home, RunEndpoints(str(claim)))
    return code


async def run_claimed(specs: list[ProcessSpec], logs: Path, claim: Claim) -> int:
    """Run the processes to their end, or until there is a later claim; the exit code."""
    supervisor = Supervisor(specs, logs, print_status, DEFAULT_BACKOFF)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch_home, supervisor, logs.parent, claim)
        code = await supervisor.run()
        nursery.cancel_scope.cancel()
    return code if _is_latest(logs.parent, claim) else code or SUPERSEDED


async def _watch_home(supervisor: Supervisor, home: Path, claim: Claim) -> None:
    """Show workers elsewhere that this start lives; stop once there is a later one."""
    while _is_latest(home, claim):
        touch_endpoints(home)
        await trio.sleep(LOOK_SECONDS)
    print_status("the job was started again elsewhere: stopping here")
    supervisor.stop()


@contextmanager
def lock_once_free(home: Path, seconds: float = LOCK_SECONDS) -> Iterator[RunLock]:
    """The run's lock, once a former start has let it go; `BadInput` if that takes too long."""
    deadline = time.monotonic() + seconds
    lock = RunLock(home)
    while True:
        try:
            lock.__enter__()
            break
        except BadInput:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)
    try:
        yield lock
    finally:
        lock.__exit__()


def _address(recipe: Recipe) -> str:
    return recipe.slurm.host.replace("{host}", socket.gethostname())


def claim_file(home: Path) -> Path:
    return folder_of(home) / "claim.json"


def _is_latest(home: Path, claim: Claim) -> bool:
    """True too if the file cannot be read: the supervisor ends a run whose home is gone."""
    try:
        found = msgspec.json.decode(claim_file(home).read_bytes(), type=Claim)
    except (OSError, msgspec.MsgspecError):
        return True
    return found == claim
