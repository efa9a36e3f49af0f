"""Which version works when, with versions that only count."""

from pathlib import Path

import pytest
import trio

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.wire.payloads import Generate, Sampling
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.versions import Load, ModelManager


class Version:
    """Answers each request with its own name, one a step."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.queue: list[PendingRequest[Generate, str]] = []

    @property
    def busy(self) -> bool:
        return bool(self.queue)

    @property
    def state(self) -> Load:
        return Load(waiting=len(self.queue))

    def start(self) -> None:
        self.log.append(f"start {self.name}")

    def add(self, work: PendingRequest[Generate, str]) -> None:
        self.queue.append(work)

    def step(self) -> None:
        work = self.queue.pop(0)
        self.log.append(f"{work.request.seed}")
        work.answer(self.name)

    def close(self) -> None:
        self.log.append(f"close {self.name}")


def shelf_of(capacity: int, log: list[str]) -> ModelManager[Generate, str]:
    def load(name: str) -> Version:
        log.append(f"load {name}")
        if name == "bad":
            raise ModelUnavailable(Path("bad"), "no such folder")
        return Version(name, log)

    return ModelManager(load, capacity)


def ask(shelf: ModelManager[Generate, str], *versions: str) -> list[PendingRequest[Generate, str]]:
    """One request for each version, numbered from 1 in their seeds."""
    works: list[PendingRequest[Generate, str]] = []
    for number, version in enumerate(versions, 1):
        works.append(PendingRequest(Generate(version, [1], 1, number, Sampling())))
        shelf.arrive(works[-1])
    return works


async def test_old_work_ends_before_the_new_version_comes() -> None:
    log: list[str] = []
    shelf = shelf_of(1, log)
    ask(shelf, "a", "a", "b", "a", "b")
    while shelf.busy:
        shelf.turn()
    # Loading comes first, so that a failure would leave the old version; 5 is served with 3.
    assert log == [
        *("load a", "start a", "1", "2", "4"),
        *("load b", "close a", "start b", "3", "5"),
    ]


async def test_versions_that_keep_coming_take_turns() -> None:
    log: list[str] = []
    shelf = shelf_of(1, log)
    ask(shelf, "a")
    shelf.turn()
    ask(shelf, "b", "a")
    shelf.turn()
    ask(shelf, "a", "b")
    while shelf.busy:
        shelf.turn()
    assert [line for line in log if line.startswith("load")] == [
        *("load a", "load b", "load a", "load b"),
    ]


async def test_a_bad_version_fails_its_own_requests_only() -> None:
    log: list[str] = []
    shelf = shelf_of(1, log)
    first, bad, second, worse = ask(shelf, "a", "bad", "a", "bad")
    while shelf.busy:
        shelf.turn()
    assert log == ["load a", "start a", "1", "3", "load bad"]
    assert [await first.result(), await second.result()] == ["a", "a"]
    for work in (bad, worse):
        with pytest.raises(ModelUnavailable, match="model folder bad: no such folder"):
            await work.result()


async def test_two_versions_in_memory_work_side_by_side() -> None:
    log: list[str] = []
    shelf = shelf_of(2, log)
    ask(shelf, "a", "b", "a", "b")
    while shelf.busy:
        shelf.turn()
    assert log.count("load a") == log.count("load b") == 1
    assert "close a" not in log
    ask(shelf, "b", "c")
    while shelf.busy:
        shelf.turn()
    assert shelf.versions == ("b", "c")


async def test_cancelled_requests_load_nothing() -> None:
    log: list[str] = []
    shelf = shelf_of(1, log)
    (work,) = ask(shelf, "a")
    with trio.move_on_after(0):
        await work.result()
    while shelf.busy:
        shelf.turn()
    assert log == []
