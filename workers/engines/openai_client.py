"""The HTTP connection to an OpenAI-compatible server: what each failure means for a request.

- the server is away, overloaded, or answers what no such server would: `Interrupted`, try again;
- the request is too long: `TooLong`; any other refusal: `BadRequest`, the job fails;
- no key, a wrong one, no such model, another address: `BadInput`, no request can ever be answered.
"""

import logging
import os
import re
from typing import Any, NamedTuple, Self

import httpx
import trio

from rstar_async.engines.errors import BadRequest, Interrupted, Unreachable
from rstar_async.errors import BadInput
from workers.engines.openai_protocol import (
    Choice,
    ListedModel,
    ModelList,
    TooLong,
    is_about_length,
    read,
    usable_choices,
)

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
LONGEST_PAUSE = 15.0
TOO_LARGE = 413
REFUSED_KEY = (401, 403)
NO_SUCH_PLACE = (404, 405)
TRY_AGAIN = (408, 425, 429)
_UNKNOWN_MODEL = re.compile(
    r"model\b.{0,80}\b(not found|does not exist|doesn't exist)|(unknown|no such) model",
    re.IGNORECASE | re.DOTALL,
)


class Patience(NamedTuple):
    """Seconds to wait for a server that never answered, and for one that did before."""

    first_contact: float = 10.0
    away: float = 60.0


PATIENCE = Patience()


class _Wait(Exception):
    """The server cannot answer now; `seconds` is how long it says to wait."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class OpenAIClient:
    """An async context manager around the connections to `url`, with the key in `key_env`."""

    def __init__(self, url: str, key_env: str, patience: Patience = PATIENCE) -> None:
        self.url = url.rstrip("/")
        self._key_env = key_env
        self._key = os.environ.get(key_env)
        self._was_reached = False
        self._patience = patience
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else None,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def models(self) -> list[ListedModel] | None:
        """The models that the server lists; None if it lists none."""
        answer = await self._send("GET", "models")
        if answer.status_code in NO_SUCH_PLACE:
            return None
        self._check(answer)
        return read(answer.content, ModelList, str(answer.url)).data

    async def complete(self, body: dict[str, Any]) -> list[Choice]:
        """The choices with a text, at least one. Cancelling closes the connection, which servers
        treat as an abort."""
        answer = await self._send("POST", "completions", body)
        self._check(answer)
        return usable_choices(answer.content, str(answer.url))

    async def _send(
        self, method: str, route: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Wait for a server that is away, and as long as one says; then give up."""
        patience = self._patience.away if self._was_reached else self._patience.first_contact
        until, pause = trio.current_time() + patience, 0.5
        while True:
            try:
                return await self._try(method, f"{self.url}/{route}", body)
            except _Wait as wait:
                pause = min(2 * pause, LONGEST_PAUSE)
                seconds = pause if wait.seconds is None else wait.seconds
                left = until - trio.current_time()
                if left <= 0:
                    raise self._gave_up(wait) from wait
                log.warning("waiting for the server: %s", wait, extra={"seconds": seconds})
                await trio.sleep(min(seconds, left))

    def _gave_up(self, wait: _Wait) -> Exception:
        """A server that was never reached is probably elsewhere: the worker must say so and end."""
        return Interrupted(str(wait)) if self._was_reached else Unreachable(str(wait))

    async def _try(self, method: str, url: str, body: dict[str, Any] | None) -> httpx.Response:
        try:
            answer = await self._http.request(method, url, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Wait(f"{url}: {error or type(error).__name__}") from error
        except httpx.RequestError as error:  # reset, cut short, in an unknown encoding
            raise Interrupted(f"{url}: {error or type(error).__name__}") from error
        self._was_reached = True
        if (seconds := _asked_to_wait(answer)) is not None:
            raise _Wait(_said(answer), seconds)
        return answer

    def _check(self, answer: httpx.Response) -> None:
        """Raise what a status other than 200 means."""
        status, said = answer.status_code, _said(answer)
        if status == httpx.codes.OK:
            return
        if status in TRY_AGAIN or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Interrupted(said)
        if status in REFUSED_KEY:
            fault = "it refuses the key" if self._key else "it wants a key; give it"
            raise BadInput(f"{said}; {fault} in the environment variable {self._key_env}")
        if status in NO_SUCH_PLACE or _UNKNOWN_MODEL.search(answer.text):
            raise BadInput(f"{said}; check the server's address and the name of the model on it")
        if answer.is_redirect:
            raise BadInput(f"{said}; give the address it leads to: {answer.headers['location']}")
        if status == TOO_LARGE or is_about_length(answer.text):
            raise TooLong(said)
        raise BadRequest(said)


def _said(answer: httpx.Response) -> str:
    """In one line, what the server answered."""
    return f"{answer.url} answered {answer.status_code}: {' '.join(answer.text.split())[:200]}"


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """The seconds of `Retry-After`, where another try may help."""
    status, after = answer.status_code, answer.headers.get("retry-after", "")
    may_help = status in TRY_AGAIN or status >= httpx.codes.INTERNAL_SERVER_ERROR
    return float(after) if may_help and after.replace(".", "", 1).isdecimal() else None
