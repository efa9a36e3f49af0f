"""One SGLang server (0.5.21) as seen over HTTP: a method for each route, no policy.

Failures: a broken connection or an answer of an unknown shape is `EngineFailed`, status 400 is
`BadRequest`, 500 and 503 are `Interrupted`. Whether the server still lives is `watch`'s question.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

import httpx
import msgspec
import trio

from rstar_async.engines.errors import BadRequest, EngineFailed, Interrupted, Unreachable
from rstar_async.engines.sglang_messages import (
    Classified,
    Completion,
    LoadResult,
    ModelInfo,
    ServerInfo,
)
from rstar_async.wire.payloads import TokenIds

T = TypeVar("T")
Body: TypeAlias = dict[str, Any]

CONNECT_SECONDS = 10.0
HEALTH_SECONDS = 5.0
# A server that computes a long prompt on a busy CPU may answer late.
HEALTH_TIMEOUT_SECONDS = 30.0
FAILED_HEALTH_CHECKS = 3
ABORT_SECONDS = 2.0


class SGLangClient:
    """An async context manager around the connections to `url`.

    A request may take `timeout_seconds`; None, the default, sets no limit.
    """

    def __init__(self, url: str, timeout_seconds: float | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
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
        """Never return; raise `EngineFailed` after several failed health checks in a row."""
        failed = 0
        while failed < FAILED_HEALTH_CHECKS:
            await trio.sleep(HEALTH_SECONDS)
            failed = 0 if await self.is_healthy() else failed + 1
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
        """Drop requests whose results are not wanted any more; never fails, takes little time."""
        with trio.move_on_after(ABORT_SECONDS, shield=True):
            for rid in rids:
                try:
                    await self._http.post("/abort_request", json={"rid": rid})
                except httpx.TransportError:
                    return

    # weights

    async def load(
        self, folder: Path | str, version: str, *, flush_cache: bool = True
    ) -> LoadResult:
        """Exchange the weights in place, forget all cached prefixes; waits for running requests.

        `folder` must hold whole tensors of the shapes being served: 0.5.21 means to roll back if
        something is wrong with them, but reads the same folder again, and dies.
        """
        body = {
            "model_path": str(folder),
            "weight_version": version,
            "flush_cache": flush_cache,
        }
        return _decode(await self._send("POST", "/update_weights_from_disk", body), LoadResult)

    async def name_weights(self, version: str) -> None:
        """Give the weights being served a name, which every answer then carries."""
        await self._order("/update_weight_version", new_version=version, abort_all_requests=False)

    # memory, of a server started with --enable-memory-saver

    async def pause(self) -> None:
        """Stop generating; running requests wait, without their cache."""
        await self._order("/pause_generation", mode="retract")

    async def resume(self) -> None:
        """Go on generating."""
        await self._order("/continue_generation")

    async def release_memory(self, *kinds: str) -> None:
        """Give up memory of these kinds: "weights", "kv_cache"."""
        await self._order("/release_memory_occupation", tags=list(kinds))

    async def take_memory(self, *kinds: str) -> None:
        """Take it back. What was in it is lost."""
        await self._order("/resume_memory_occupation", tags=list(kinds))

    async def _order(self, route: str, **body: Any) -> None:
        _check(await self._send("POST", route, body))

    async def _get(self, route: str, kind: type[T]) -> T:
        return _decode(_check(await self._send("GET", route)), kind)

    async def _post(self, route: str, body: Body, kind: type[T]) -> T:
        return _decode(_check(await self._send("POST", route, body)), kind)

    async def _send(self, method: str, route: str, body: Body | None = None) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if content else None
        try:
            return await self._http.request(method, route, content=content, headers=headers)
        except httpx.TransportError as error:
            kind = Unreachable if isinstance(error, httpx.ConnectError) else EngineFailed
            reason = f"{type(error).__name__} {error}".strip()
            raise kind(f"SGLang at {self.url}: {route}: {reason}") from error


def _check(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == httpx.codes.BAD_REQUEST:
        raise BadRequest(f"SGLang refused the request: {_reason(answer)}")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Interrupted(f"SGLang answered {answer.status_code}: {_reason(answer)}")
    if answer.status_code != httpx.codes.OK:
        route = f"{answer.request.method} {answer.request.url}"
        raise EngineFailed(f"{route} answered {answer.status_code}; is this an SGLang server?")
    return answer


def _reason(answer: httpx.Response) -> str:
    try:
        content: Any = msgspec.json.decode(answer.content)
        return str(content["error"]["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return answer.text[:200]


def _decode(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        route = answer.request.url.path
        raise EngineFailed(f"{route} answered what SGLang 0.5.21 would not: {error}") from error
