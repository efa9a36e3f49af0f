"""Real brokers and real workers, killed at bad moments: the client only has to wait longer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from brokers.dead_letters import list_letters, read_letter, replay_letter, show_letter
from rstar_async.errors import BrokerLost, JobFailed
from rstar_async.wire.keys import make_keys
from rstar_async.wire.messages import Status, job_id
from rstar_async.wire.pool import PoolClient, open_pool
from workers.worker import Job, serve

PATIENCE = 60.0
A, B = job_id("a"), job_id("b")

WORKER = """
import os, sys, trio
from workers.worker import serve

async def handle(job):
    with open(sys.argv[3], "a") as log:
        log.write(sys.argv[2] + "\\n")
    match job.body.split():
        case [b"die"]:
            os.kill(os.getpid(), 9)
        case [b"hang-once"] if job.attempt == 1:
            await trio.sleep_forever()
        case [b"sleep", seconds]:
            await trio.sleep(float(seconds))
    return sys.argv[2].encode()

trio.run(serve, sys.argv[1], sys.argv[2], 4, handle)
"""


class Site:
    """The processes of one test; all are gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clients, self.workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
        self.log = folder / "runs"
        self.log.touch()
        self.processes: list[subprocess.Popen[bytes]] = []

    def broker(self, *options: str) -> subprocess.Popen[bytes]:
        ends = ("--clients", self.clients, "--workers", self.workers)
        return self._start("-m", "brokers", "test", *ends, "--lease", "2", *options)

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        return self._start("-c", WORKER, self.workers, name, str(self.log))

    def runs(self) -> list[str]:
        return self.log.read_text().split()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments])
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.end()


async def until(pool: PoolClient, holds) -> Status:
    while not holds(status := await pool.status()):  # noqa: ASYNC110  the broker sets no event
        await trio.sleep(0.05)
    return status


async def ended(process: subprocess.Popen[bytes]) -> int:
    return await trio.to_thread.run_sync(process.wait)


async def test_a_killed_workers_job_is_done_by_another(site):
    site.broker()
    workers = {name: site.worker(name) for name in ("first", "second")}
    answers = {}

    async def ask(pool: PoolClient, job: bytes, body: bytes) -> None:
        answers[job] = await pool.ask(job, body)

    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="client") as pool, trio.open_nursery() as asks:
            await until(pool, lambda status: len(status.workers) == 2)
            asks.start_soon(ask, pool, A, b"hang-once")
            status = await until(pool, lambda status: status.leased == 1)
            (busy,) = [worker.name for worker in status.workers if worker.running]
            for number in range(20):
                asks.start_soon(ask, pool, job_id(number), b"sleep 0.01")
            workers.pop(busy).kill()
    (left,) = workers
    assert (answers[A].body, answers[A].attempt) == (left.encode(), 2)
    assert len(answers) == 21


async def test_asks_outlive_a_killed_broker_and_nothing_runs_twice(site):
    broker = site.broker()
    site.worker("worker")
    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="client") as pool, trio.open_nursery() as asks:
            for number in range(4):
                asks.start_soon(pool.ask, job_id(number), b"sleep 2")
            await until(pool, lambda status: status.leased == 4)
            broker.kill()
            await ended(broker)
            for number in range(4, 8):
                asks.start_soon(pool.ask, job_id(number), b"")
            site.broker()
    assert len(site.runs()) == 8


async def test_a_job_that_kills_its_workers_becomes_a_dead_letter_for_replay(site, tmp_path):
    folder = tmp_path / "letters"
    site.broker("--letters", str(folder))
    for number in range(3):
        site.worker(f"worker{number}")
    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="client") as pool:
            with pytest.raises(JobFailed) as failed:
                await pool.ask(A, b"die", group="tree")
            assert failed.value.kind == "dead"
            assert len(site.runs()) == 3
            (file,) = list_letters(folder)
            letter = read_letter(file)
            assert (letter.pool, letter.submit.job, letter.body) == ("test", A, b"die")
            assert "3 workers died" in show_letter(letter)
            drain = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(lambda: serve(site.workers, "worker", 1, survive, drain=drain))
                assert (await replay_letter(pool, file)).body == b"survived"
                drain.set()
            assert list_letters(folder) == []


async def survive(job: Job) -> bytes:
    return b"survived"


async def test_sigterm_drains_a_worker_and_then_ends_the_broker(site):
    broker, worker = site.broker(), site.worker("worker")
    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="client") as pool:
            async with trio.open_nursery() as asks:
                asks.start_soon(pool.ask, A, b"sleep 1")
                await until(pool, lambda _: site.runs() == ["worker"])
                worker.send_signal(signal.SIGTERM)
            assert await ended(worker) == 0
            status = await until(pool, lambda status: not status.workers)
            assert (status.counters.finished, status.counters.deaths) == (1, 0)
        broker.send_signal(signal.SIGTERM)
        assert await ended(broker) == 0


async def test_two_signals_end_a_worker_at_once_and_its_job_goes_on_elsewhere(site):
    site.broker()
    worker = site.worker("first")
    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="client") as pool, trio.open_nursery() as asks:
            asks.start_soon(pool.ask, A, b"hang-once")
            await until(pool, lambda status: status.leased == 1)
            worker.send_signal(signal.SIGTERM)
            # A worker that has not started the job yet gives it back and ends at once.
            await until(pool, lambda status: all(w.capacity == 0 for w in status.workers))
            worker.send_signal(signal.SIGINT)
            await ended(worker)
            site.worker("second")


async def test_over_tcp_only_keys_on_the_lists_are_let_in(site, tmp_path):
    make_keys(tmp_path, clients=["coordinator"], workers=["worker"])
    port = 20_000 + os.getpid() % 20_000
    site.clients, site.workers = f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port + 1}"
    site.broker("--keys", str(tmp_path / "broker"))
    drain = trio.Event()

    async def work() -> None:
        await serve(site.workers, "gpu-3", 1, survive, keys=tmp_path / "worker", drain=drain)

    with trio.fail_after(PATIENCE):
        async with (
            trio.open_nursery() as nursery,
            open_pool(site.clients, name="c", keys=tmp_path / "coordinator") as pool,
        ):
            nursery.start_soon(work)
            answer = await pool.ask(A, b"")
            assert (answer.body, answer.worker) == (b"survived", "worker/gpu-3")
            with trio.move_on_after(1) as scope:
                async with open_pool(site.clients, name="w", keys=tmp_path / "worker") as other:
                    await other.ask(B, b"")
            assert scope.cancelled_caught
            drain.set()


async def test_a_key_may_not_speak_under_another_name(site, tmp_path):
    make_keys(tmp_path, clients=["coordinator", "viewer"], workers=[])
    renamed = tmp_path / "viewer" / "curve.key"
    renamed.write_bytes(renamed.read_bytes().replace(b'"viewer"', b'"coordinator"'))
    port = 20_000 + os.getpid() % 20_000
    site.clients, site.workers = f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port + 1}"
    site.broker("--keys", str(tmp_path / "broker"))
    with trio.fail_after(PATIENCE), pytest.raises(BrokerLost, match="may not speak as"):
        async with open_pool(site.clients, name="c", keys=tmp_path / "viewer") as pool:
            await pool.ask(A, b"")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--clients", "tcp://0.0.0.0:5000", "--workers", "ipc://w"], "rstar keys DIR"),
        (["--clients", "nonsense", "--workers", "ipc://w"], "must be ipc://PATH"),
        (["--clients", "ipc://c", "--workers", "ipc://w", "--keys", "nowhere"], "curve.key"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(options, complaint, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "brokers", "test", *options],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
