"""ASGI middleware that applies `Access` and adds security headers to every answer.

The content security policy lets the browser run our own files and nothing else, and Trusted Types
make every attempt to turn text into HTML throw.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rstar_async.view.access import Access

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SAFETY = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
_REFUSALS = {
    "wrong host": (HTTPStatus.MISDIRECTED_REQUEST, "This page does not answer to that host name."),
    "no token": (HTTPStatus.UNAUTHORIZED, "Open the address that `rstar view` printed."),
    "read only": (HTTPStatus.METHOD_NOT_ALLOWED, "This page is read-only."),
}


class Guard:
    """Passes on the requests that `access` allows; web sockets never."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_safety(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode("latin-1")
        verdict = self._access.verdict(scope["method"], Headers(scope=scope), query)
        if verdict == "allowed":
            await self._app(scope, receive, send)
            return
        response = (
            self._move_token_to_cookie(query) if verdict == "token in query" else _refusal(verdict)
        )
        await response(scope, receive, send)

    def _move_token_to_cookie(self, query: str) -> Response:
        """Redirect to the address without the token, so that it is not shared with the address; the
        cookie cannot be read by scripts nor sent by other sites."""
        left = urlencode([(key, value) for key, value in parse_qsl(query) if key != "token"])
        response = RedirectResponse(f"./?{left}" if left else "./", HTTPStatus.SEE_OTHER)
        response.set_cookie(
            self._access.cookie, self._access.token, httponly=True, samesite="strict"
        )
        return response


def _refusal(verdict: str) -> Response:
    status, text = _REFUSALS[verdict]
    return PlainTextResponse(text + "\n", status)


def _with_safety(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in SAFETY.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
