"""How the processes of a run reach its brokers, as options of their command lines. Pure.

On one machine by Unix sockets in a private folder; on several by TCP, with CURVE keys.
"""

from pathlib import Path
from typing import TypeAlias

import msgspec

from rstar_async.launch.sockets import clients_endpoint, workers_endpoint
from rstar_async.wire.payloads import POOLS, Pool

# The identities that a run's processes have beyond one machine.
CLIENTS: list[str] = ["coordinator", "observer"]
WORKERS: list[str] = [*POOLS]


class LocalSockets(msgspec.Struct, frozen=True):
    """Unix sockets in `folder`, which only this user may enter."""

    folder: Path

    def broker_options(self, pool: Pool) -> tuple[str, ...]:
        clients, workers = (end(self.folder, pool) for end in (clients_endpoint, workers_endpoint))
        return ("--clients", clients, "--workers", workers)

    def coordinator_options(self) -> tuple[str, ...]:
        return ("--sockets", str(self.folder))

    def worker_options(self, pool: Pool) -> tuple[str, ...]:
        return ("--endpoint", workers_endpoint(self.folder, pool))


class PoolPorts(msgspec.Struct, frozen=True):
    """Where the broker of one pool listens."""

    clients: int
    workers: int


class TCPEndpoints(msgspec.Struct, frozen=True):
    """Ports of the brokers on `host`, and the folder of everyone's keys."""

    host: str
    ports: dict[str, PoolPorts]
    keys: str

    def broker_options(self, pool: Pool) -> tuple[str, ...]:
        ports = self.ports[pool]
        ends = ("--clients", f"tcp://*:{ports.clients}", "--workers", f"tcp://*:{ports.workers}")
        return (*ends, *self._keys_of("broker"))

    def coordinator_options(self) -> tuple[str, ...]:
        ends = (self.clients_endpoint(pool) for pool in POOLS)
        return ("--endpoints", *ends, *self._keys_of("coordinator"))

    def worker_options(self, pool: Pool) -> tuple[str, ...]:
        endpoint = f"tcp://{self.host}:{self.ports[pool].workers}"
        return ("--endpoint", endpoint, *self._keys_of(pool))

    def clients_endpoint(self, pool: Pool) -> str:
        return f"tcp://{self.host}:{self.ports[pool].clients}"

    def keys_of(self, who: str) -> Path:
        return Path(self.keys, who)

    def _keys_of(self, who: str) -> tuple[str, str]:
        return ("--keys", str(self.keys_of(who)))


Network: TypeAlias = LocalSockets | TCPEndpoints
