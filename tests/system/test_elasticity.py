"""Workers join, drain and die while jobs run: jobs go to the workers there are, none is lost."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from rstar_async.wire.messages import Status, job_id
from rstar_async.wire.pool import PoolClient, open_pool

PATIENCE = 600.0  # a bound on hanging, not a goal
CAPACITY = 4
ASKING = 40
WORKER = """
import sys, trio
from workers.worker import serve

async def handle(job):
    await trio.sleep(0.02)
    return job.body + b" by " + sys.argv[2].encode()

trio.run(serve, sys.argv[1], sys.argv[2], int(sys.argv[3]), handle)
"""


class Site:
    """One broker, and workers by name."""

    def __init__(self, folder: Path) -> None:
        self.clients, self._workers = f"ipc://{folder}/c", f"ipc://{folder}/w"
        self.hands: dict[str, subprocess.Popen[bytes]] = {}
        ends = ("--clients", self.clients, "--workers", self._workers)
        # A loaded machine must not decide who is dead; a broken connection is noticed all the same.
        self._broker = self._start("-m", "brokers", "test", *ends, "--lease", "120")

    def hire(self, *names: str) -> None:
        for name in names:
            self.hands[name] = self._start("-c", WORKER, self._workers, name, str(CAPACITY))

    def end(self) -> None:
        for process in (self._broker, *self.hands.values()):
            process.kill()
            process.wait()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *words])


class Crowd:
    """Asks all the time, and keeps what was answered, and by whom."""

    def __init__(self, pool: PoolClient) -> None:
        self._pool = pool
        self.over = False
        self.asked = 0
        self.answers: Counter[bytes] = Counter()
        self.by: Counter[str] = Counter()

    async def ask(self) -> None:
        while not self.over:
            self.asked += 1
            body = b"%d" % self.asked
            answer = await self._pool.ask(job_id("elastic", body), body)
            assert answer.body == body + b" by " + answer.worker.encode()
            self.answers[body] += 1
            self.by[answer.worker] += 1

    async def until(self, holds: Callable[[Status], bool]) -> None:
        while not holds(await self._pool.status()):  # noqa: ASYNC110  the broker sets no event
            await trio.sleep(0.05)

    async def until_work_is_done_by(self, *names: str) -> None:
        """Wait until each of them has answered ten jobs more."""
        before = Counter(self.by)
        while any(self.by[name] < before[name] + 10 for name in names):  # noqa: ASYNC110
            await trio.sleep(0.02)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.end()


async def test_work_follows_the_workers_without_reconfiguration(site):
    with trio.fail_after(PATIENCE):
        async with open_pool(site.clients, name="crowd") as pool:
            crowd = Crowd(pool)
            async with trio.open_nursery() as asks:
                for _ in range(ASKING):
                    asks.start_soon(crowd.ask)
                await _come_and_go(site, crowd)
                crowd.over = True
            counters = (await pool.status()).counters
    assert set(crowd.answers.values()) == {1}
    assert len(crowd.answers) == crowd.asked
    assert counters.deaths == 1
    assert (counters.errors, counters.dead, counters.expired) == (0, 0, 0)


async def _come_and_go(site: Site, crowd: Crowd) -> None:
    site.hire("first")
    await crowd.until_work_is_done_by("first")
    site.hire("second", "third", "fourth")  # they come: all work
    await crowd.until_work_is_done_by("first", "second", "third", "fourth")
    await crowd.until(lambda status: status.leased == 4 * CAPACITY)
    site.hands["first"].send_signal(signal.SIGTERM)  # one drains: it gets nothing new, and leaves
    assert await trio.to_thread.run_sync(site.hands["first"].wait) == 0
    site.hands["second"].kill()  # one dies: its jobs are done by others
    await crowd.until(lambda status: {w.name for w in status.workers} == {"third", "fourth"})
    await crowd.until_work_is_done_by("third", "fourth")
    site.hire("fifth")
    await crowd.until_work_is_done_by("third", "fourth", "fifth")
