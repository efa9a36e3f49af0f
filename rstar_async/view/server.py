"""Binding and serving: Hypercorn on trio, HTTP/1.1 and HTTP/2, until interrupted."""

import logging
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.types import ASGIApp

from rstar_async.errors import BadInput
from rstar_async.view.access import is_loopback

BACKLOG = 128
GRACE_SECONDS = 1.0


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free port. `BadInput` says why it cannot listen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadInput(f"{host!r} is not an address to listen on: {error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise BadInput(
            f"cannot listen on {host} port {port}: {error.strerror}; try --port {_another(port)}"
        ) from None
    return listening


def choose_token(host: str, given: str | None) -> str:
    """The given token; else a random one beyond loopback, and none ("") on loopback."""
    if given is not None and not given:
        raise BadInput("an empty --token protects nothing; leave the option out for a random one")
    return given or ("" if is_loopback(host) else secrets.token_urlsafe(24))


def address(host: str, port: int, token: str) -> str:
    """The URL to open; for a wildcard address it has this machine's name."""
    name = socket.gethostname() if host in {"0.0.0.0", "::"} else host
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


async def serve_on(
    listening: socket.socket,
    app: ASGIApp,
    *,
    until: Callable[..., Awaitable[None]] = trio.sleep_forever,
    task_status: Any = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` on a socket of `bind` until `until` returns."""
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = logging.getLogger("rstar.view.http")
    config.errorlog.setLevel(logging.WARNING)
    config.graceful_timeout = GRACE_SECONDS
    config.include_server_header = False
    await serve(app, config, shutdown_trigger=until, task_status=task_status)  # type: ignore[arg-type]


def _another(port: int) -> int:
    return port + 1 if port < 65535 else 0
