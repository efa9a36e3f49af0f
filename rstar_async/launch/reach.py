"""How a program beside a run, such as `rstar status`, reaches the run's brokers."""

from pathlib import Path

import msgspec

from rstar_async.launch.endpoints_file import read_endpoints
from rstar_async.launch.lock import running_holder
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.wire.payloads import POOLS, Pool


class Brokers(msgspec.Struct, frozen=True):
    """The clients' endpoint of each pool, and the folder of the keys to use, None without."""

    endpoints: dict[Pool, str]
    keys: Path | None = None


def brokers_of(home: Path) -> Brokers:
    """Those of the run that is going on in `home`; `BadInput` if there is none."""
    found = read_endpoints(home)
    if found is not None and found.at is not None:
        endpoints = {pool: found.at.clients_endpoint(pool) for pool in POOLS}
        return Brokers(endpoints, found.at.keys_of("observer"))
    sockets = Path(running_holder(home).sockets)
    return Brokers({pool: clients_endpoint(sockets, pool) for pool in POOLS})
