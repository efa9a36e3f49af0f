"""A full disk stops the intake and nothing else: no loss, and it goes on when there is space."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from storage import queries
from storage.database import open_database
from storage.records import Problem
from storage.store import open_store
from tests.storage.examples import RUN

ROOT = Path(__file__).parents[2]
LONG = "x" * 20_000


@pytest.fixture
def small_disk(tmp_path):
    """A folder with 3 MB in it, where we may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


async def commit_problems(store, names, acknowledged):
    for name in names:
        await store.commit(Problem(name, "trial", LONG, "a"))
        acknowledged.append(name)


async def stopped(store):
    while not store.statistics().waiting_for:  # noqa: ASYNC110
        await trio.sleep(0.01)


async def test_a_full_disk_is_waited_for(small_disk, caplog):
    ballast = small_disk / "ballast"
    acknowledged: list[str] = []
    names = [str(i) for i in range(60)]
    async with open_store(str(small_disk / "store.db")) as store:
        await store.commit(RUN)
        await trio.Path(ballast).write_bytes(b"x" * 2_000_000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(commit_problems, store, names, acknowledged)
            await stopped(store)
            assert 0 < len(acknowledged) < 60
            found = await store.read(queries.problems_of, "trial")
            assert sorted(problem.id for problem in found) == sorted(acknowledged)
            ballast.unlink()
    assert acknowledged == names
    with open_database(str(small_disk / "store.db")) as database:
        assert len(database.read(queries.problems_of, "trial")) == 60
    assert "disk" in caplog.text
    assert "store.db" in caplog.text
    assert "goes on" in caplog.text


async def main(path: str) -> None:
    """In a process of its own: files may not grow over 400 kB, and then they may."""
    import resource

    acknowledged: list[str] = []
    async with open_store(path) as store:
        await store.commit(RUN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(commit_problems, store, map(str, range(60)), acknowledged)
            await stopped(store)
            print(len(acknowledged), flush=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(len(acknowledged))


def test_a_quota_is_waited_for(tmp_path):
    path = str(tmp_path / "store.db")
    command = [sys.executable, "-m", "tests.storage.test_disk_full", path]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 0, ended.stderr
    before, after = map(int, ended.stdout.split())
    assert 0 < before < after == 60
    with open_database(path) as database:
        assert len(database.read(queries.problems_of, "trial")) == 60


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
