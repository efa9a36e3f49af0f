"""Hands the GPU over between the trainer and the inference servers that share it.

A server keeps its state in the version name of its weights: releasing, released or returning. So a
driver that is started again can ask the server for it. A server that was left in the middle of a
handover is not touched again, because the same request twice may crash it. One that does not answer
has not been started yet and holds no memory.
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
    """The next step of handing the GPU to `owner`; None when the owner has it.

    A server that is taking its memory back finishes that first, even if the trainer wants the GPU
    again: no request is known to release memory safely while it has no weights in it.
    """
    if owner == "trainer" and state is not State.RELEASED:
        return _TO_TRAINER.get(state) or _TO_SERVERS[state]
    return _TO_SERVERS.get(state) if owner == "servers" else None


log = logging.getLogger(__name__)

RELEASING, RELEASED, RETURNING = "releasing:", "released:", "returning:"
TIMEOUT_SECONDS = 600.0


class Server(Protocol):
    """A server whose memory can be released and taken back."""

    async def state(self) -> State | None:
        """None if it is not running."""

    async def do(self, action: Action) -> None: ...


class SharedGPU:
    """A GPU that servers and the trainer take in turns; without servers nothing is shared."""

    def __init__(self, servers: Sequence[Server] = ()) -> None:
        self._servers = servers

    @classmethod
    def of(cls, recipe: Recipe) -> "SharedGPU":
        """As the recipe says: `sglang.share_device`."""
        if not recipe.sglang.share_device:
            return cls()
        pools: tuple[ModelPool, ...] = ("inference", "reward")
        by_sglang = [pool for pool in pools if engine_name(recipe, pool) == "sglang"]
        servers = servers_of(recipe, *by_sglang)
        return cls([SGLangDevice(server.url) for server in servers])

    async def hand_over(self, owner: Owner) -> None:
        """Give the GPU to `owner`; returns when it has it. Idempotent."""
        async with trio.open_nursery() as nursery:
            for server in self._servers:
                nursery.start_soon(_hand_over, server, owner)


async def _hand_over(server: Server, owner: Owner) -> None:
    state = await server.state()
    while state is not None and (step := next_step(state, owner)) is not None:
        await server.do(step.action)
        log.info("memory of a server", extra={"server": str(server), "state": str(step.after)})
        state = step.after


class SGLangDevice:
    """A server that was started with `--enable-memory-saver`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __repr__(self) -> str:
        return f"SGLang at {self.url}"

    async def state(self) -> State | None:
        """Raises `BadInput` if a driver died in the middle of a handover."""
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
        """Raises `RstarError` if the server refuses."""
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
        return SGLangClient(self.url, timeout_seconds=TIMEOUT_SECONDS)


async def _mark(server: SGLangClient, mark: str) -> None:
    """Set the prefix of the weights' version name."""
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
