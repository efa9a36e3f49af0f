"""Workers that join a run elsewhere: against a real broker on this machine, by TCP with keys."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from msgspec import structs

from rstar_async.config import Recipe, WorkersConfig
from rstar_async.launch.endpoints_file import RunEndpoints, write_endpoints
from rstar_async.launch.joining import Joining, join_run, worker_processes
from rstar_async.launch.network import CLIENTS, WORKERS, PoolPorts, TCPEndpoints
from rstar_async.launch.ports import ports_of_pools, reserved_ports
from rstar_async.wire.keys import make_keys
from rstar_async.wire.messages import Status
from rstar_async.wire.payloads import POOLS
from rstar_async.wire.pool import open_pool

RECIPE = Recipe(workers=WorkersConfig(engine="scripted", inference=2))
PORTS = {pool: PoolPorts(2 * n + 1, 2 * n + 2) for n, pool in enumerate(POOLS)}


@contextmanager
def broker(network: TCPEndpoints) -> Iterator[None]:
    command = [sys.executable, "-m", "brokers", "inference", *network.broker_options("inference")]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()


async def workers_at(network: TCPEndpoints, wanted: int) -> Status:
    keys = network.keys_of("observer")
    async with open_pool(network.clients_endpoint("inference"), name="test", keys=keys) as pool:
        while len((status := await pool.status()).workers) != wanted:  # noqa: ASYNC110
            await trio.sleep(0.1)
        return status


async def test_they_come_follow_the_run_to_other_ports_and_leave_when_it_is_over(
    tmp_path: Path,
) -> None:
    (tmp_path / "models").mkdir()
    make_keys(tmp_path / "keys", CLIENTS, WORKERS)
    joining = Joining(tmp_path, RECIPE, "inference", "elsewhere")
    codes = []

    async def join() -> None:
        codes.append(await join_run(joining))

    with reserved_ports(12) as ports, trio.fail_after(300):
        starts = [
            TCPEndpoints("127.0.0.1", ports_of_pools(half), str(tmp_path / "keys"))
            for half in (ports[:6], ports[6:])
        ]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(join)
            for number, network in enumerate(starts):
                with broker(network):
                    write_endpoints(tmp_path, RunEndpoints(f"start {number}", network))
                    names = [worker.name for worker in (await workers_at(network, 2)).workers]
            write_endpoints(tmp_path, RunEndpoints("over"))
    assert codes == [0]
    assert sorted(names) == [f"inference/inference-elsewhere-{n}" for n in (1, 2)]


async def test_they_leave_a_run_that_does_not_come(tmp_path: Path) -> None:
    absent = Joining(tmp_path, RECIPE, "inference", "elsewhere", away_seconds=0.0)
    assert await join_run(absent) == 0


@pytest.mark.parametrize(("pool", "devices"), [("inference", ["0", "1"]), ("executor", [None])])
def test_workers_of_models_share_the_gpus(
    pool: str, devices: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    network = TCPEndpoints("node1", PORTS, str(tmp_path))
    joining = structs.replace(Joining(tmp_path, RECIPE, "inference", "here"), pool=pool)
    specs = worker_processes(joining, RunEndpoints("start 1", network))
    assert [spec.env.get("CUDA_VISIBLE_DEVICES") for spec in specs] == devices
