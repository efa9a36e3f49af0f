"""Which model versions are in memory, and which request may start on which; no threads in here.

Requests are handed out in order of arrival. The first one whose version is not loaded marks the
least recently used version as leaving: that version starts nothing more, finishes what it has,
and makes room; then the new version starts all that waits for it. So every request is answered by
its own version and none waits for ever.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol

from rstar_async.engines.errors import ModelUnavailable
from workers.engines.local.sequence import PendingRequest, Reply, Request


class Load(NamedTuple):
    """How much is going on: samples being generated, requests not begun, prefix cache in use."""

    rows: int = 0
    waiting: int = 0
    cache_bytes: int = 0


class Loaded(Protocol[Request, Reply]):
    """One model version in memory, with the work it has begun."""

    @property
    def busy(self) -> bool: ...
    @property
    def state(self) -> Load: ...
    def start(self) -> None:
        """Take the device; called once, when the version that had to leave is gone."""

    def add(self, work: "PendingRequest[Request, Reply]") -> None: ...
    def step(self) -> None:
        """Do one bounded piece of the work; skip what was cancelled."""

    def close(self) -> None:
        """Give back the memory."""


class ModelManager(Generic[Request, Reply]):
    """Holds at most `capacity` versions; `load` raises `ModelUnavailable` for a bad one."""

    def __init__(self, load: "Callable[[str], Loaded[Request, Reply]]", capacity: int) -> None:
        self._load = load
        self._capacity = capacity
        self._waiting: deque[PendingRequest[Request, Reply]] = deque()
        # Least recently used first. Other threads look at it: it never lacks a loaded version.
        self._loaded: OrderedDict[str, Loaded[Request, Reply]] = OrderedDict()

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(self._loaded)

    def state(self) -> Load:
        """The sum over all versions, with what waits for one."""
        states = [loaded.state for loaded in tuple(self._loaded.values())]
        return Load(
            sum(s.rows for s in states),
            len(self._waiting) + sum(s.waiting for s in states),
            sum(s.cache_bytes for s in states),
        )

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or any(loaded.busy for loaded in self._loaded.values())

    def arrive(self, work: "PendingRequest[Request, Reply]") -> None:
        self._waiting.append(work)

    def turn(self) -> None:
        """Hand out waiting work, load a version if it is time to, advance every version once."""
        wanted = self._hand_out()
        if wanted is not None and self._make_room():
            self._bring(wanted)
        for loaded in tuple(self._loaded.values()):
            if loaded.busy:
                loaded.step()

    def close(self) -> None:
        for loaded in self._loaded.values():
            loaded.close()
        self._loaded.clear()

    def _hand_out(self) -> str | None:
        """Start what may start; return the version that must be loaded next, if any."""
        wanted: str | None = None
        leaving: str | None = None
        kept: deque[PendingRequest[Request, Reply]] = deque()
        for work in self._waiting:
            version = work.request.model
            if work.cancelled:
                continue
            if version in self._loaded and version != leaving:
                self._loaded.move_to_end(version)
                self._loaded[version].add(work)
                continue
            if wanted is None:
                wanted, leaving = version, self._leaving()
            kept.append(work)
        self._waiting = kept
        return wanted

    def _leaving(self) -> str | None:
        """The version that makes room for a new one; None while there is room."""
        return next(iter(self._loaded)) if len(self._loaded) >= self._capacity else None

    def _make_room(self) -> bool:
        leaving = self._leaving()
        return leaving is None or not self._loaded[leaving].busy

    def _bring(self, version: str) -> None:
        """Load into host memory first, so that a failure leaves the old version where it is."""
        try:
            arriving = self._load(version)
        except ModelUnavailable as error:
            self._refuse(version, error)
            return
        leaving = self._leaving()
        if leaving is not None:
            self._loaded.pop(leaving).close()
        arriving.start()
        self._loaded[version] = arriving
        # All that waits for it, past what waits for others: else mixed traffic would reload a
        # model for every request.
        for work in self._withdraw(version):
            arriving.add(work)

    def _refuse(self, version: str, error: ModelUnavailable) -> None:
        for work in self._withdraw(version):
            work.fail(error)

    def _withdraw(self, version: str) -> list[PendingRequest[Request, Reply]]:
        """Take the version's requests out of the queue."""
        withdrawn = [work for work in self._waiting if work.request.model == version]
        self._waiting = deque(work for work in self._waiting if work.request.model != version)
        return withdrawn
