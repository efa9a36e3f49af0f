"""Naming a store leaves what this process has open of it alone."""

import sqlite3
import subprocess
import sys

from rstar_async.cli.locate import database_url
from storage.database import open_database
from storage.records import Run

READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(*(row[0] for row in connection.execute("SELECT id FROM runs ORDER BY id")))
connection.close()
"""


def runs_seen_elsewhere(file) -> list[str]:
    """By another process, which ends with the journal if it takes itself for the last."""
    command = [sys.executable, "-c", READ, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_what_is_committed_after_a_store_was_named_is_there_for_others(tmp_path):
    file = tmp_path / "rstar.db"
    with open_database(f"sqlite:///{file}") as database:
        database.commit(Run("a", {}, 1, "test"))
        assert database_url(str(file)) == str(file)
        assert runs_seen_elsewhere(file) == ["a"]
        database.commit(Run("b", {}, 1, "test"))
        assert runs_seen_elsewhere(file) == ["a", "b"]


def test_a_store_that_nobody_has_open_is_known_by_its_first_bytes(tmp_path):
    file = tmp_path / "some.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert database_url(str(file)) == str(file)
