"""The servers that share the trainer's card, and handing it over.

A server that has released its memory, or is about to, or is taking it back, carries that in the
name of its weights: a driver that is started again learns from the server where things stand. One
that was left in the middle is not touched again, for the same order given twice may crash it. A
server that does not answer has not been started yet and holds nothing.
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
    """What is asked of a server."""

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
CONNECT_SECONDS = 5.0


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
        servers = servers_of(recipe, "inference", "reward")
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
        """Raises `RstarError` if the server cannot."""
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
        """Put `mark` before the name of the weights, in place of the one that was there."""
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
        timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            answer = await client.request(method, self.url + route, json=body)
        if answer.status_code != httpx.codes.OK:
            raise RstarError(f"{self}: {route} answered {answer.status_code}: {answer.text[:200]}")
        return answer
