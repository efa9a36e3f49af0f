"""Hands the GPU over between the trainer and the inference servers that share it.

A server keeps its state in the version name of its weights: releasing, released or returning. So a
driver that is started again can ask the server for it. A server that was left in the middle of a
handover is not touched again, because the same request twice may crash it. One that does not answer
has not been started yet and holds no memory.
"""

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import httpx
import trio

from rstar_async.config import Recipe
from rstar_async.errors import BadInput, RstarError
from rstar_async.launch.sglang_servers import servers_of

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
    """A request to a server."""

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
CONNECT_SECONDS = 5.0


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
        servers = servers_of(recipe, "inference", "reward")
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
            version = (await self._model_info())["weight_version"]
        except httpx.ConnectError:
            return None
        if version.startswith((RELEASING, RETURNING)):
            raise BadInput(
                f"{self} was left while it handed over its memory ({version}): start it again, "
                "then the run"
            )
        return State.RELEASED if version.startswith(RELEASED) else State.SERVING

    async def do(self, action: Action) -> None:
        """Raises `RstarError` if the server refuses."""
        match action:
            case Action.PAUSE:
                await self._mark(RELEASING)
                await self._post("/pause_generation", mode="retract")
            case Action.RELEASE:
                await self._post("/release_memory_occupation", tags=["kv_cache", "weights"])
                await self._mark(RELEASED)
            case Action.TAKE_WEIGHTS:
                await self._mark(RETURNING)
                await self._post("/resume_memory_occupation", tags=["weights"])
            case Action.LOAD:
                info = await self._model_info()
                await self._post(
                    "/update_weights_from_disk",
                    model_path=info["model_path"],
                    weight_version=info["weight_version"],
                    flush_cache=False,  # there is none yet
                )
            case Action.TAKE_CACHE:
                await self._post("/resume_memory_occupation", tags=["kv_cache"])
            case Action.RESUME:
                await self._post("/continue_generation")
                await self._mark("")

    async def _mark(self, mark: str) -> None:
        """Set the prefix of the weights' version name."""
        name = (await self._model_info())["weight_version"]
        for old in (RELEASING, RELEASED, RETURNING):
            name = name.removeprefix(old)
        body = {"new_version": mark + name, "abort_all_requests": False}
        await self._post("/update_weight_version", **body)

    async def _model_info(self) -> dict[str, Any]:
        return dict((await self._send("GET", "/model_info")).json())

    async def _post(self, route: str, **body: Any) -> None:
        await self._send("POST", route, body)

    async def _send(
        self, method: str, route: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            answer = await client.request(method, self.url + route, json=body)
        if answer.status_code != httpx.codes.OK:
            raise RstarError(f"{self}: {route} answered {answer.status_code}: {answer.text[:200]}")
        return answer
