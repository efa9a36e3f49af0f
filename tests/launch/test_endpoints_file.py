import os
from pathlib import Path

import pytest

from rstar_async.errors import BadInput
from rstar_async.launch.endpoints_file import (
    EndpointsWatch,
    RunEndpoints,
    read_endpoints,
    remove_endpoints,
    write_endpoints,
)
from rstar_async.launch.network import PoolPorts, TCPEndpoints
from rstar_async.launch.reach import brokers_of
from rstar_async.wire.payloads import POOLS

PORTS = {pool: PoolPorts(2 * n + 1, 2 * n + 2) for n, pool in enumerate(POOLS)}
RUNNING = RunEndpoints("start 1", TCPEndpoints("node1", PORTS, "/h/keys"))


def test_what_was_written_is_read_until_it_is_removed(tmp_path: Path) -> None:
    assert read_endpoints(tmp_path) is None
    write_endpoints(tmp_path, RUNNING)
    assert read_endpoints(tmp_path) == RUNNING
    remove_endpoints(tmp_path)
    assert read_endpoints(tmp_path) is None


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    write_endpoints(tmp_path, RUNNING)
    assert (tmp_path / "endpoints.json").stat().st_mode & 0o077 == 0


def test_another_file_of_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("[]")
    with pytest.raises(BadInput, match=r"endpoints\.json is no file of endpoints"):
        read_endpoints(tmp_path)


def test_an_observer_reaches_the_clients_ports_with_keys_of_its_own(tmp_path: Path) -> None:
    write_endpoints(tmp_path, RUNNING)
    brokers = brokers_of(tmp_path)
    assert list(brokers.endpoints.values()) == [f"tcp://node1:{n}" for n in (1, 3, 5)]
    assert brokers.keys == Path("/h/keys/observer")


def test_a_run_that_is_over_has_no_brokers(tmp_path: Path) -> None:
    write_endpoints(tmp_path, RunEndpoints("start 1"))
    with pytest.raises(BadInput, match="holds no run"):
        brokers_of(tmp_path)


def test_a_file_that_is_touched_is_of_a_living_run(tmp_path: Path) -> None:
    write_endpoints(tmp_path, RUNNING)
    watch = EndpointsWatch(tmp_path)
    watch.look()
    silent = watch.silent_seconds
    watch.look()
    assert watch.silent_seconds > silent
    os.utime(tmp_path / "endpoints.json", ns=(1, 1))
    before = watch.silent_seconds
    watch.look()
    assert watch.silent_seconds < before
