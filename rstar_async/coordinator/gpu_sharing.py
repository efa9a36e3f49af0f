"""The servers that share the trainer's card, and handing it over.

A server that has released its memory, or is about to, or is taking it back, carries that in the
name of its weights: a driver that is started again learns from the server where things stand. One
that was left in the middle is not touched again, for the same order given twice may crash it. A
server that does not answer has not been started yet and holds nothing.
"""

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol, TypeAlias

import trio

from rstar_async.config import Recipe
from rstar_async.engines.errors import Unreachable
from rstar_async.engines.registry import engine_name
from rstar_async.engines.sglang_client import SGLangClient
from rstar_async.engines.sglang_servers import ModelPool, servers_of
from rstar_async.errors import BadInput, RstarError

Owner: TypeAlias = Literal["servers", "trainer"]


class State(StrEnum):
    """Of one server."""

    SERVING = "serving"
    PAUSED = "paused"
    RELEASED = "released"
    EMPTY = "empty"  # has its memory for weights, and no weights in it
    LOADED = "loaded"
    COMPLETE = "complete"  # has weights and a cache, and is paused


class Action(StrEnum):
    """One request to a server."""

    PAUSE = "pause"
    RELEASE = "release"
    TAKE_WEIGHTS = "take_weights"
    LOAD = "load"
    TAKE_CACHE = "take_cache"
    RESUME = "resume"


class Step(NamedTuple):
    """An action, and the state after it."""

    action: Action
    after: State


_TO_TRAINER = {
    State.SERVING: Step(Action.PAUSE, State.PAUSED),
    State.PAUSED: Step(Action.RELEASE, State.RELEASED),
}
_TO_SERVERS = {
    State.RELEASED: Step(Action.TAKE_WEIGHTS, State.EMPTY),
    State.EMPTY: Step(Action.LOAD, State.LOADED),
    State.LOADED: Step(Action.TAKE_CACHE, State.COMPLETE),
    State.COMPLETE: Step(Action.RESUME, State.SERVING),
    State.PAUSED: Step(Action.RESUME, State.SERVING),
}


def next_step(state: State, owner: Owner) -> Step | None:
    """What brings the card nearer to its owner; None when the owner has it.

    A server that is on its way back goes all the way, also if the trainer wants it again: memory
    without weights in it is released by no order that we know to be safe.
    """
    if owner == "trainer" and state is not State.RELEASED:
        return _TO_TRAINER.get(state) or _TO_SERVERS[state]
    return _TO_SERVERS.get(state) if owner == "servers" else None


log = logging.getLogger(__name__)

RELEASING, RELEASED, RETURNING = "releasing:", "released:", "returning:"
SECONDS = 600.0


class Device(Protocol):
    """One server's memory."""

    async def state(self) -> State | None:
        """None: there is no server."""

    async def do(self, action: Action) -> None: ...


class Card:
    """Nothing happens where there is no device."""

    def __init__(self, devices: Sequence[Device] = ()) -> None:
        self._devices = devices

    @classmethod
    def of(cls, recipe: Recipe) -> "Card":
        """The card that a recipe says is shared, if any."""
        if not recipe.sglang.share_device:
            return cls()
        pools: tuple[ModelPool, ...] = ("inference", "reward")
        by_sglang = [pool for pool in pools if engine_name(recipe, pool) == "sglang"]
        servers = servers_of(recipe, *by_sglang)
        return cls([SGLangDevice(server.url) for server in servers])

    async def hand_over(self, owner: Owner) -> None:
        """Let `owner` have the card; returns when it does. Doing it twice does no harm."""
        async with trio.open_nursery() as nursery:
            for device in self._devices:
                nursery.start_soon(_hand_over, device, owner)


async def _hand_over(device: Device, owner: Owner) -> None:
    state = await device.state()
    while state is not None and (step := next_step(state, owner)) is not None:
        await device.do(step.action)
        log.info("device handed over", extra={"device": str(device), "state": str(step.after)})
        state = step.after


class SGLangDevice:
    """A server that was started with `--enable-memory-saver`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __repr__(self) -> str:
        return f"SGLang at {self.url}"

    async def state(self) -> State | None:
        """Raises `BadInput` if a driver died while it handed the card over."""
        try:
            async with self._client() as server:
                version = (await server.model_info()).weight_version
        except Unreachable:
            return None
        if version.startswith((RELEASING, RETURNING)):
            raise BadInput(
                f"{self} was left while it handed over its memory ({version}): start it again, "
                "then the run"
            )
        return State.RELEASED if version.startswith(RELEASED) else State.SERVING

    async def do(self, action: Action) -> None:
        """Raises `RstarError` if the server cannot."""
        async with self._client() as server:
            match action:
                case Action.PAUSE:
                    await _mark(server, RELEASING)
                    await server.pause()
                case Action.RELEASE:
                    await server.release_memory("kv_cache", "weights")
                    await _mark(server, RELEASED)
                case Action.TAKE_WEIGHTS:
                    await _mark(server, RETURNING)
                    await server.take_memory("weights")
                case Action.LOAD:
                    await _load_again(server)
                case Action.TAKE_CACHE:
                    await server.take_memory("kv_cache")
                case Action.RESUME:
                    await server.resume()
                    await _mark(server, "")

    def _client(self) -> SGLangClient:
        return SGLangClient(self.url, timeout_seconds=SECONDS)


async def _mark(server: SGLangClient, mark: str) -> None:
    """Put `mark` before the name of the weights, in place of the one that was there."""
    name = (await server.model_info()).weight_version
    for old in (RELEASING, RELEASED, RETURNING):
        name = name.removeprefix(old)
    await server.name_weights(mark + name)


async def _load_again(server: SGLangClient) -> None:
    """Read the weights that the server had before it released its memory."""
    info = await server.model_info()
    # There is no cache to flush yet.
    loaded = await server.load(info.model_path, info.weight_version, flush_cache=False)
    if not loaded.success:
        raise RstarError(f"SGLang at {server.url} did not load its weights: {loaded.message}")
