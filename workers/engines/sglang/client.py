"""One SGLang server as seen over HTTP: a method for each route, no policy.

What its failures mean: a broken connection or an answer that nobody understands is `EngineFailed`,
400 is `BadRequest`, 500 and 503 are `Interrupted`. Requests have no time limit of their own:
whether the server lives is `watch`'s question.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import msgspec
import trio

from rstar_async.wire.payloads import TokenIds
from workers.engines.base import BadRequest, EngineFailed, Interrupted
from workers.engines.sglang.protocol import (
    Body,
    Classified,
    Completion,
    Loaded,
    ModelInfo,
    ServerInfo,
)

T = TypeVar("T")

HEALTH_SECONDS = 5.0
# A server that computes a long prompt on a busy CPU may answer late.
HEALTH_TIMEOUT_SECONDS = 30.0
SILENCES = 3
ABORT_SECONDS = 2.0


class SGLangClient:
    """An async context manager around the connections to `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(None, connect=10.0),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    # what it is

    async def is_healthy(self) -> bool:
        """False while it starts, and when it does not answer in time."""
        try:
            answer = await self._http.get("/health", timeout=HEALTH_TIMEOUT_SECONDS)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    async def watch(self) -> None:
        """Return never; raise `EngineFailed` once it has been silent for too long."""
        silences = 0
        while silences < SILENCES:
            await trio.sleep(HEALTH_SECONDS)
            silences = 0 if await self.is_healthy() else silences + 1
        raise EngineFailed(f"SGLang at {self.url} does not answer any more")

    async def model_info(self) -> ModelInfo:
        return await self._get("/model_info", ModelInfo)

    async def server_info(self) -> ServerInfo:
        return await self._get("/server_info", ServerInfo)

    # work

    async def generate(self, body: Body) -> Completion:
        """For a body with one prompt."""
        return await self._post("/generate", body, Completion)

    async def generate_all(self, body: Body) -> list[Completion]:
        """For a body with a list of prompts, in its order."""
        return await self._post("/generate", body, list[Completion])

    async def classify(self, sequences: Sequence[TokenIds]) -> list[Classified]:
        return await self._post("/classify", {"input_ids": sequences}, list[Classified])

    async def abort(self, rids: Sequence[str]) -> None:
        """Say that nobody waits for these any more; never fails, takes little time."""
        with trio.move_on_after(ABORT_SECONDS, shield=True):
            for rid in rids:
                try:
                    await self._http.post("/abort_request", json={"rid": rid})
                except httpx.TransportError:
                    return

    # weights

    async def load(self, folder: Path, version: str) -> Loaded:
        """Exchange the weights in place, forget all cached prefixes; waits for running requests.

        `folder` must hold whole tensors of the shapes being served: 0.5.21 means to roll back if
        something is wrong with them, but reads the same folder again, and dies.
        """
        body = {"model_path": str(folder), "weight_version": version, "flush_cache": True}
        answer = await self._send("POST", "/update_weights_from_disk", body)
        return _read(answer, Loaded)

    async def name_weights(self, version: str) -> None:
        """Give the weights being served a name, which every answer then carries."""
        body = {"new_version": version, "abort_all_requests": False}
        _check(await self._send("POST", "/update_weight_version", body))

    async def _get(self, route: str, kind: type[T]) -> T:
        return _read(_check(await self._send("GET", route)), kind)

    async def _post(self, route: str, body: Body, kind: type[T]) -> T:
        return _read(_check(await self._send("POST", route, body)), kind)

    async def _send(self, method: str, route: str, body: Body | None = None) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if content else None
        try:
            return await self._http.request(method, route, content=content, headers=headers)
        except httpx.TransportError as error:
            reason = f"{type(error).__name__} {error}".strip()
            raise EngineFailed(f"SGLang at {self.url}: {route}: {reason}") from error


def _check(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == httpx.codes.BAD_REQUEST:
        raise BadRequest(f"SGLang refused the request: {_complaint(answer)}")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Interrupted(f"SGLang answered {answer.status_code}: {_complaint(answer)}")
    if answer.status_code != httpx.codes.OK:
        route = f"{answer.request.method} {answer.request.url}"
        raise EngineFailed(f"{route} answered {answer.status_code}; is this an SGLang server?")
    return answer


def _complaint(answer: httpx.Response) -> str:
    try:
        said: Any = msgspec.json.decode(answer.content)
        return str(said["error"]["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return answer.text[:200]


def _read(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        route = answer.request.url.path
        raise EngineFailed(f"{route} answered what SGLang 0.5.21 would not: {error}") from error
