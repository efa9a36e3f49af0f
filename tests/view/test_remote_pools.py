"""The pools of a run on other machines, asked by TCP with the observer's key."""

import subprocess
import sys
from pathlib import Path

import trio

from rstar_async.launch.endpoints_file import RunEndpoints, write_endpoints
from rstar_async.launch.network import CLIENTS, WORKERS, TCPEndpoints
from rstar_async.launch.ports import ports_of_pools, reserved_ports
from rstar_async.view.pools import PoolMonitor
from rstar_async.wire.keys import make_keys


async def test_a_broker_elsewhere_is_asked_and_one_that_is_silent_is_shown_as_such(
    tmp_path: Path,
) -> None:
    make_keys(tmp_path / "keys", CLIENTS, WORKERS)
    with reserved_ports(6) as ports:
        network = TCPEndpoints("127.0.0.1", ports_of_pools(ports), str(tmp_path / "keys"))
        write_endpoints(tmp_path, RunEndpoints("start 1", network))
        options = network.broker_options("reward")
        with subprocess.Popen([sys.executable, "-m", "brokers", "reward", *options]) as broker:
            try:
                monitor = PoolMonitor(tmp_path)
                with trio.fail_after(120):
                    while (await monitor.status()).pools["reward"] is None:  # noqa: ASYNC110
                        await trio.sleep(0.5)
                found = await monitor.status()
            finally:
                broker.kill()
    assert found.running
    assert found.pools["executor"] is None
