"""Which model versions are in memory, and which request may start on which. No threads in here.

Requests are dispatched in order of arrival. The first one whose version is not loaded marks the
least recently used version for eviction: that version starts nothing more, finishes what it has,
and is unloaded; then the new version starts all that waits for it. So every request is answered by
its own version and none waits for ever.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.wire.memory import give_back_garbage
from workers.engines.local.sequence import PendingRequest, Reply, Request


class Activity(NamedTuple):
    """Samples being generated, requests not begun, and bytes of prefix cache in use."""

    samples: int = 0
    waiting: int = 0
    cache_bytes: int = 0


class LoadedModel(Protocol[Request, Reply]):
    """One model version in memory, with the requests it has begun."""

    @property
    def busy(self) -> bool: ...
    @property
    def activity(self) -> Activity: ...
    def start(self) -> None:
        """Move to the device; called once, after the evicted version has left it."""

    def add(self, pending: "PendingRequest[Request, Reply]") -> None: ...
    def step(self) -> None:
        """Do one bounded piece of work; skip what was cancelled."""

    def close(self) -> None:
        """Free the memory."""


class ModelManager(Generic[Request, Reply]):
    """Holds at most `capacity` versions; `load` raises `ModelUnavailable` for a bad one."""

    def __init__(self, load: "Callable[[str], LoadedModel[Request, Reply]]", capacity: int) -> None:
        self._load = load
        self._capacity = capacity
        self._waiting: deque[PendingRequest[Request, Reply]] = deque()
        # Least recently used first. Other threads read it: it never lacks a loaded version.
        self._loaded: OrderedDict[str, LoadedModel[Request, Reply]] = OrderedDict()

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(self._loaded)

    def activity(self) -> Activity:
        """The sum over all versions, and what waits for a version."""
        models = [model.activity for model in tuple(self._loaded.values())]
        return Activity(
            sum(model.samples for model in models),
            len(self._waiting) + sum(model.waiting for model in models),
            sum(model.cache_bytes for model in models),
        )

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or any(model.busy for model in self._loaded.values())

    def add(self, pending: "PendingRequest[Request, Reply]") -> None:
        self._waiting.append(pending)

    def step(self) -> None:
        """Dispatch waiting requests, load a version if one is due, advance every version once."""
        wanted = self._dispatch()
        if wanted is not None and self._has_room():
            self._switch_to(wanted)
        for model in tuple(self._loaded.values()):
            if model.busy:
                model.step()

    def close(self) -> None:
        for model in self._loaded.values():
            model.close()
        self._loaded.clear()

    def _dispatch(self) -> str | None:
        """Start what may start; return the version that must be loaded next, if any."""
        wanted: str | None = None
        evicted: str | None = None
        kept: deque[PendingRequest[Request, Reply]] = deque()
        for pending in self._waiting:
            version = pending.request.model
            if pending.cancelled:
                continue
            if version in self._loaded and version != evicted:
                self._loaded.move_to_end(version)
                self._loaded[version].add(pending)
                continue
            if wanted is None:
                wanted, evicted = version, self._to_evict()
            kept.append(pending)
        self._waiting = kept
        return wanted

    def _to_evict(self) -> str | None:
        """The version that a new one replaces; None while there is room."""
        return next(iter(self._loaded)) if len(self._loaded) >= self._capacity else None

    def _has_room(self) -> bool:
        evicted = self._to_evict()
        return evicted is None or not self._loaded[evicted].busy

    def _switch_to(self, version: str) -> None:
        """Activity into host memory first, so that a failure leaves the old version in place."""
        try:
            model = self._load(version)
        except ModelUnavailable as error:
            for pending in self._take_waiting(version):
                pending.fail(error)
            return
        evicted = self._to_evict()
        if evicted is not None:
            self._loaded.pop(evicted).close()
            give_back_garbage()
        model.start()
        self._loaded[version] = model
        # All that waits for it, past what waits for others: otherwise mixed traffic would reload a
        # model for every request.
        for pending in self._take_waiting(version):
            model.add(pending)

    def _take_waiting(self, version: str) -> list[PendingRequest[Request, Reply]]:
        """Take the version's requests out of the queue."""
        taken = [pending for pending in self._waiting if pending.request.model == version]
        self._waiting = deque(p for p in self._waiting if p.request.model != version)
        return taken
