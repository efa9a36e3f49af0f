"""Serves this process's metrics over HTTP, from a thread of its own: `GET /metrics`.

Off unless an address is given. An address without a host means loopback: metrics are not secret,
but not for everyone either. An address in use is refused with its name.
"""

import os

from prometheus_client import start_http_server

from rstar_async.errors import BadInput

LOOPBACK = "127.0.0.1"


def serve_metrics(address: str) -> str:
    """Serve at `[HOST:]PORT` for the rest of this process's life; return `HOST:PORT`.

    Port 0 is any free one.
    """
    host, port = _parse(address)
    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BadInput(
            f"cannot serve metrics at {address}: {reason}; choose another --metrics, or for "
            "`rstar run` another --observe.metrics_port"
        ) from None
    return f"{address.rpartition(':')[0] or LOOPBACK}:{server.server_port}"


def _parse(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise BadInput(f"metrics address {address!r} must be PORT or HOST:PORT")
    return host.strip("[]") or LOOPBACK, int(port)
