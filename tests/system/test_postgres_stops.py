"""PostgreSQL crashes under a running search and comes back: the run waits, and loses nothing."""

import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest

from storage.database import open_database
from storage.maintenance.integrity import check
from tests.storage.postgres_server import Server, own_server
from tests.system.test_whole_run import PATIENCE_SECONDS, processes_of, start

pytestmark = pytest.mark.slow  # a whole run, and one that waits for its database

NODES = "SELECT search_id, path, text FROM nodes"


@pytest.fixture
def server() -> Iterator[Server]:
    with own_server() as running:
        yield running


def stored(server: Server) -> set[tuple[object, ...]]:
    """Nodes that a commit has made durable; none while there is no table yet."""
    try:
        with psycopg.connect(server.url) as connection:
            return set(connection.execute(NODES))
    except psycopg.errors.UndefinedTable:
        return set()


def wait_for_nodes(server: Server, run: subprocess.Popen[str], more_than: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while len(stored(server)) <= more_than:
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < end, "the search did not go on"
        time.sleep(0.1)


def test_a_search_outlives_two_crashes_of_its_database(tmp_path, server):
    run = start(tmp_path, "--database", server.url)
    seen: set[tuple[object, ...]] = set()
    for _ in range(2):
        wait_for_nodes(server, run, more_than=len(seen) + 10)
        seen |= stored(server)
        server.stop()
        time.sleep(3)
        assert run.poll() is None, run.communicate()[0]
        server.start()
    said, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, said

    assert seen <= stored(server)
    with open_database(server.url, must_exist=True) as database:
        assert [found for found in database.read(check) if found.offenders] == []
    with psycopg.connect(server.url) as connection:
        searches = connection.execute("SELECT status, count(*) FROM searches GROUP BY 1").fetchall()
        rounds = connection.execute("SELECT status FROM rounds ORDER BY number").fetchall()
    assert searches == [("finished", 24)]
    assert rounds == [("closed",)] * 2
    logs = "".join(file.read_text() for file in (tmp_path / "home" / "logs").glob("coordinator*"))
    assert "store waits: " in logs
    assert "store goes on after" in logs
    assert processes_of(tmp_path) == {}
