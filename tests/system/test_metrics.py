"""The metrics of real processes: a broker and an executor, read while a client uses them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import trio

from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Execute, Executed
from rstar_async.wire.pool import open_pool

PATIENCE = 60.0


class Watched:
    """A process that serves metrics at a port it chose itself."""

    def __init__(self, log: Path, *words: str) -> None:
        self.log = log
        with log.open("wb") as stderr:
            command = [sys.executable, "-m", *words, "--metrics", "0", "--logs", "json"]
            self.process = subprocess.Popen(command, stderr=stderr)

    async def address(self) -> str:
        """Where it serves, once it does."""
        while (found := re.search(r'"address": "([^"]+)"', self.log.read_text())) is None:
            assert self.process.poll() is None, self.log.read_text()
            await trio.sleep(0.05)
        return found[1]

    async def metrics(self) -> dict[str, float]:
        """Values by name and labels."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://{await self.address()}/metrics")).text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Watched, Watched]]:
    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"
    ends = ("--clients", clients, "--workers", workers)
    broker = Watched(tmp_path / "broker.log", "brokers", "executor", *ends)
    worker = Watched(
        tmp_path / "w.log", "workers", "executor", "--endpoint", workers, "--slots", "1"
    )
    yield clients, broker, worker
    for watched in (broker, worker):
        watched.process.kill()
        watched.process.wait()


async def test_broker_and_worker_metrics_count_the_jobs(site):
    clients, broker, worker = site
    programs = {"ok": "x = 6 * 7\nprint(x)", "exception": "1 / 0"}
    with trio.fail_after(PATIENCE):
        async with open_pool(clients, name="client") as pool:
            for status, program in programs.items():
                request = Execute("tree", [program])
                executed = await pool.request(request, Executed, job=job_id(program), group="tree")
                assert executed.status == status
            assert (pool.pool, pool.statistics.answered) == ("executor", 2)
            while (at_broker := await broker.metrics())[_event("finished")] < 2:  # noqa: ASYNC110
                await trio.sleep(0.05)
        at_worker = await worker.metrics()
    assert at_broker[_event("submitted")] == at_broker[_event("attempts")] == 2
    assert at_broker['rstar_broker_run_seconds_count{pool="executor"}'] == 2
    assert at_broker['rstar_broker_workers{pool="executor"}'] == 1
    assert at_broker['rstar_broker_capacity{pool="executor"}'] == 2
    assert at_worker['rstar_worker_runs_total{ending="done",pool="executor"}'] == 2
    assert at_worker['rstar_programs_total{status="ok"}'] == 1
    assert at_worker['rstar_programs_total{status="exception"}'] == 1
    assert at_worker["process_start_time_seconds"] > 0


async def test_a_taken_port_is_one_line_and_exit_code_2(site, tmp_path):
    _, broker, _ = site
    port = (await broker.address()).rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "brokers", "x", "--clients", f"ipc://{tmp_path}/c2",
         "--workers", f"ipc://{tmp_path}/w2", "--metrics", port],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"cannot serve metrics at {port}" in done.stderr


def test_the_log_of_a_broker_is_json_line_by_line(site):
    clients, broker, _ = site

    async def visit() -> None:
        async with open_pool(clients, name="visitor") as pool:
            await pool.status()

    trio.run(visit)
    lines = [msgspec.json.decode(line) for line in broker.log.read_bytes().splitlines()]
    came = next(line for line in lines if line["message"] == "client joined")
    assert (came["client"], came["process"]) == ("visitor", "broker-executor")


def _event(name: str) -> str:
    return f'rstar_broker_events_total{{event="{name}",pool="executor"}}'
