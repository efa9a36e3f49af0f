"""`rstar status` on running brokers: once, as JSON, and as a table that follows."""

import io
import json
import subprocess
import sys

import trio
from rich.console import Console

from brokers.broker import Broker
from rstar_async.cli.status import show_live, status_table
from rstar_async.wire.messages import Counters, Status, WorkerStatus, job_id
from rstar_async.wire.pool import open_pool
from workers.worker import Job, serve


async def reverse(job: Job) -> bytes:
    return job.body[::-1]


async def test_the_live_table_follows_the_system(tmp_path):
    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"
    console = Console(file=io.StringIO(), width=160, force_terminal=True)

    async def seen(*words: str) -> None:
        while not all(word in console.file.getvalue() for word in words):  # noqa: ASYNC110
            await trio.sleep(0.02)

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show_live, [clients], None, 0.05, console)
            await seen("no answer")
            broker = Broker("executor", clients=clients, workers=workers)
            nursery.start_soon(broker.run)
            await seen("executor")
            drain = trio.Event()
            nursery.start_soon(lambda: serve(workers, "hand-1", 7, reverse, drain=drain))
            async with open_pool(clients, name="client") as pool:
                await pool.ask(job_id("a"), b"")
            await seen("hand-1")
            nursery.cancel_scope.cancel()


async def test_in_a_pipe_it_prints_once_and_the_exit_code_tells_who_is_missing(short_path):
    clients, workers = f"ipc://{short_path}/c", f"ipc://{short_path}/w"
    command = [sys.executable, "-m", "rstar_async.cli", "status", "--endpoints", clients]
    async with trio.open_nursery() as nursery:
        broker = Broker("executor", clients=clients, workers=workers)
        nursery.start_soon(broker.run)
        table = await trio.run_process(command, capture_stdout=True)
        assert "executor" in table.stdout.decode()
        answer = await trio.run_process([*command, "--json"], capture_stdout=True)
        assert json.loads(answer.stdout)[clients]["pool"] == "executor"
        nursery.cancel_scope.cancel()
    missing = subprocess.run(command, capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "no answer" in missing.stdout


def test_a_quarantined_worker_and_a_hostile_name_are_shown_as_they_are():
    worker = WorkerStatus("evil [/b]\x1b[31m", 4, 0, 0.1, faults=3, quarantine_seconds=42.4)
    status = Status(1, "executor", b"8 bytes.", 1.0, 0, 0, 0, 0, 0, 0, [worker], Counters())
    console = Console(file=io.StringIO(), width=200)
    console.print(status_table({"ipc://c": status}))
    printed = console.file.getvalue()
    assert "evil [/b]␛[31m" in printed
    assert "quarantined for 42 s after 3 faults" in printed
