"""Which version runs when, with versions that only count."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
import trio

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.wire.payloads import Generate, Sampling
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.versions import Activity, ModelManager

Pending: TypeAlias = PendingRequest[Generate, str]


@pytest.fixture
def without_collection() -> Iterator[None]:
    """Python collects nothing by itself."""
    gc.disable()
    yield
    gc.enable()


class Version:
    """Answers each request with its own name, one a step."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.queue: list[Pending] = []

    @property
    def busy(self) -> bool:
        return bool(self.queue)

    @property
    def activity(self) -> Activity:
        return Activity(waiting=len(self.queue))

    def start(self) -> None:
        self.log.append(f"start {self.name}")

    def add(self, pending: Pending) -> None:
        self.queue.append(pending)

    def step(self) -> None:
        pending = self.queue.pop(0)
        self.log.append(f"{pending.request.seed}")
        pending.answer(self.name)

    def close(self) -> None:
        self.log.append(f"close {self.name}")


def manager_of(capacity: int, log: list[str]) -> ModelManager[Generate, str]:
    def load(name: str) -> Version:
        log.append(f"load {name}")
        if name == "bad":
            raise ModelUnavailable(Path("bad"), "no such folder")
        return Version(name, log)

    return ModelManager(load, capacity)


def add(manager: ModelManager[Generate, str], *versions: str) -> list[Pending]:
    """One request for each version, numbered from 1 in their seeds."""
    added: list[Pending] = []
    for seed, version in enumerate(versions, 1):
        added.append(PendingRequest(Generate(version, [1], 1, seed, Sampling())))
        manager.add(added[-1])
    return added


async def test_a_version_is_gone_before_the_next_is_started(without_collection: None) -> None:
    """One that refers to itself, as a model does, is not left to the collector: on a GPU both would
    have to fit."""
    alive: list[bool] = []
    versions: list[weakref.ref[Version]] = []

    class Circular(Version):
        def __init__(self, name: str) -> None:
            super().__init__(name, [])
            self.itself = self
            versions.append(weakref.ref(self))

        def start(self) -> None:
            alive.extend(version() is not None for version in versions)

    manager: ModelManager[Generate, str] = ModelManager(Circular, 1)
    add(manager, "a", "b")
    while manager.busy:
        manager.step()
    assert alive == [True, False, True]


async def test_old_requests_end_before_the_new_version_is_started() -> None:
    log: list[str] = []
    manager = manager_of(1, log)
    add(manager, "a", "a", "b", "a", "b")
    while manager.busy:
        manager.step()
    # Loading comes first, so that a failure would leave the old version; 5 is served with 3.
    assert log == [
        *("load a", "start a", "1", "2", "4"),
        *("load b", "close a", "start b", "3", "5"),
    ]


async def test_versions_that_keep_coming_take_turns() -> None:
    log: list[str] = []
    manager = manager_of(1, log)
    add(manager, "a")
    manager.step()
    add(manager, "b", "a")
    manager.step()
    add(manager, "a", "b")
    while manager.busy:
        manager.step()
    assert [line for line in log if line.startswith("load")] == [
        *("load a", "load b", "load a", "load b"),
    ]


async def test_a_bad_version_fails_its_own_requests_only() -> None:
    log: list[str] = []
    manager = manager_of(1, log)
    first, bad, second, worse = add(manager, "a", "bad", "a", "bad")
    while manager.busy:
        manager.step()
    assert log == ["load a", "start a", "1", "3", "load bad"]
    assert [await first.result(), await second.result()] == ["a", "a"]
    for pending in (bad, worse):
        with pytest.raises(ModelUnavailable, match="model folder bad: no such folder"):
            await pending.result()


async def test_two_versions_in_memory_work_side_by_side() -> None:
    log: list[str] = []
    manager = manager_of(2, log)
    add(manager, "a", "b", "a", "b")
    while manager.busy:
        manager.step()
    assert log.count("load a") == log.count("load b") == 1
    assert "close a" not in log
    add(manager, "b", "c")
    while manager.busy:
        manager.step()
    assert manager.versions == ("b", "c")


async def test_cancelled_requests_load_nothing() -> None:
    log: list[str] = []
    manager = manager_of(1, log)
    (pending,) = add(manager, "a")
    with trio.move_on_after(0):
        await pending.result()
    while manager.busy:
        manager.step()
    assert log == []
