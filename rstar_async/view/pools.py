"""The state of a running system's pools, requested from their brokers or, where these cannot be
reached, read from their status files.

One request serves all browsers for a second. A run that is not running has no pools.
"""

import time
from pathlib import Path

import msgspec
import trio

from rstar_async.errors import BadInput, BrokerLost
from rstar_async.launch.reach import brokers_of
from rstar_async.wire.messages import Status
from rstar_async.wire.payloads import POOLS
from rstar_async.wire.pool import open_pool

ANSWER_SECONDS = 2.0
FRESH_SECONDS = 1.0
# Brokers rewrite their status file every second; an older file is of a broker that has ended.
STATUS_FILE_SECONDS = 15.0


class Pools(msgspec.Struct, frozen=True):
    """`reason` says why there are none; a pool whose broker did not answer is None."""

    running: bool
    reason: str
    pools: dict[str, Status | None]


class PoolMonitor:
    """Asks the brokers of the run in `home`, or reads their files in `status_folder`."""

    def __init__(self, home: Path | None, status_folder: Path | None = None) -> None:
        self.home, self._status_folder = home, status_folder
        self._lock = trio.Lock()
        self._asked_at = float("-inf")
        self._pools = Pools(False, "", {})
        self._changes = FileChanges()

    @property
    def has_home(self) -> bool:
        return self.home is not None

    def is_live(self) -> bool:
        """Whether the run goes on, as its folder tells; True if that is not known."""
        if self.home is None:
            return True
        try:
            brokers_of(self.home)
        except (BadInput, msgspec.MsgspecError):
            return False
        return True

    async def status(self) -> Pools:
        """Not older than a second; takes about two seconds at most."""
        async with self._lock:
            if trio.current_time() - self._asked_at > FRESH_SECONDS:
                self._pools = await self._read()
                self._asked_at = trio.current_time()
            return self._pools

    async def _read(self) -> Pools:
        if self._status_folder is not None:
            return read_status_files(self._status_folder, self._changes)
        if self.home is None:
            return Pools(False, "give `rstar view` the folder of a run to see its workers", {})
        try:
            brokers = brokers_of(self.home)
        except (BadInput, msgspec.MsgspecError) as error:
            return Pools(False, str(error), {})
        found: dict[str, Status | None] = dict.fromkeys(POOLS)
        async with trio.open_nursery() as nursery:
            for pool, endpoint in brokers.endpoints.items():
                nursery.start_soon(_request_status, found, pool, endpoint, brokers.keys)
        return Pools(True, "", found)


class FileChanges:
    """When files were last seen to change. A file's own time is compared with the time of day only
    when it is seen for the first time, because that clock may be set."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[int, float]] = {}

    def age(self, file: Path, written_ns: int, now: float, time_of_day: float) -> float:
        """Seconds since the file's last change; `now` never decreases. Pure but for its memory."""
        if file not in self._seen:
            self._seen[file] = written_ns, now - abs(time_of_day - written_ns / 1e9)
        elif self._seen[file][0] != written_ns:
            self._seen[file] = written_ns, now
        return now - self._seen[file][1]


def read_status_files(folder: Path, changes: FileChanges | None = None) -> Pools:
    """`POOL.json` of every pool; None for a file that is old or cannot be read."""
    changes = changes or FileChanges()
    found: dict[str, Status | None] = {
        pool: _read_status(folder / f"{pool}.json", changes) for pool in POOLS
    }
    if any(found.values()):
        return Pools(True, "", found)
    return Pools(False, f"no broker has written to {folder} lately", {})


def _read_status(file: Path, changes: FileChanges) -> Status | None:
    try:
        written = file.stat().st_mtime_ns
        if changes.age(file, written, time.monotonic(), time.time()) > STATUS_FILE_SECONDS:
            return None
        return msgspec.json.decode(file.read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError):
        return None


async def _request_status(
    found: dict[str, Status | None], pool: str, endpoint: str, keys: Path | None
) -> None:
    with trio.move_on_after(ANSWER_SECONDS):
        try:
            async with open_pool(endpoint, name="view", keys=keys) as client:
                found[pool] = await client.status()
        except BrokerLost:
            return  # shown as a pool that did not answer
