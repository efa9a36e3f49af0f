"""What was acknowledged survives the death of its writer; two writers do not disturb each other."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage import queries
from storage.database import open_database
from storage.records import Search
from tests.storage.examples import BASICS, SEARCH, node

ROOT = Path(__file__).parents[2]


def start_writer(url, search_id, first, count):
    command = [sys.executable, "-m", "tests.storage.writer_process"]
    arguments = [url, search_id, str(first), str(count)]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def numbers_in(nodes):
    return {int(node.path.split(".")[1]) for node in nodes if node.depth > 1}


def test_kill_9_loses_nothing_that_was_acknowledged(url):
    rng = random.Random(4)
    acknowledged = set()
    with open_database(url) as database:
        database.commit(*BASICS, node("0", "root", expansion=0))
    for first in (10_000, 20_000):
        with start_writer(url, "s1", first, 9_000) as writer:
            for _ in range(rng.randrange(20, 400)):
                acknowledged.add(int(writer.stdout.readline()))
            writer.send_signal(signal.SIGKILL)
            acknowledged |= {int(line) for line in writer.stdout if line.endswith("\n")}
    with open_database(url) as database:
        stored = database.read(queries.nodes_of, "s1")
    numbers = numbers_in(stored)
    assert acknowledged <= numbers
    assert len(stored) == 1 + 2 * len(numbers)  # none by half, none twice


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "existing"])
def test_several_processes_open_a_store_at_once(blank_url, empty):
    if not empty:
        with open_database(blank_url):
            pass
    failures = []

    def open_it():
        try:
            with open_database(blank_url) as database:
                database.commit(*BASICS)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_two_processes_write_at_once(url):
    with open_database(url) as database:
        other = Search("s2", "trial", 1, "p1", "train", 4, "policy-0")
        database.commit(*BASICS, other)
        writers = [start_writer(url, search_id, 1, 400) for search_id in (SEARCH.id, "s2")]
        for i in range(200):
            database.commit(node(f"0.{i}", search_id="s2", expansion=0))
        for writer in writers:
            writer.communicate()
    with open_database(url) as database:
        assert len(database.read(queries.nodes_of, "s1")) == 800
        assert len(database.read(queries.nodes_of, "s2")) == 1000
