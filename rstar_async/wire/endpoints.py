"""Checks of endpoints, before libzmq interprets them.

Allowed are `ipc://PATH` and `tcp://HOST:PORT`. libzmq itself wraps port 99999 around, and lets a
second process silently take over a bound ipc path; both are refused here with their names.
"""

import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path

from rstar_async.errors import BadInput

IPC_PATH_BYTES = 107  # sizeof(sockaddr_un.sun_path) less the final NUL


def check_endpoint(endpoint: str, *, secured: bool) -> None:
    """Raise `BadInput` unless the endpoint is well formed and, beyond this host, secured."""
    scheme, _, rest = endpoint.partition("://")
    if scheme == "ipc" and rest:
        _check_path(endpoint, rest)
    elif scheme == "tcp" and rest:
        host = _check_address(endpoint, rest)
        if not secured and not _is_loopback(host):
            raise BadInput(
                f"endpoint {endpoint} reaches beyond this host and would be open to anyone: "
                "make keys with `rstar keys DIR` and pass --keys"
            )
    else:
        raise BadInput(f"endpoint {endpoint!r} must be ipc://PATH or tcp://HOST:PORT")


def ipc_path(endpoint: str) -> Path | None:
    """Return the socket file of an ipc endpoint, None for any other."""
    return Path(endpoint.removeprefix("ipc://")) if endpoint.startswith("ipc://") else None


def claim_ipc_path(endpoint: str, path: Path) -> int:
    """Take the lock beside a socket file; return its descriptor, which holds it until closed.

    A dead owner holds no lock, even if its files are left; `BadInput` if a live one does.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise BadInput(f"endpoint {endpoint} is in use by another process") from None
    return lock


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Files created inside, sockets among them, are for this user only."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def _check_path(endpoint: str, path: str) -> None:
    if path.startswith("@") or path == "*":
        raise BadInput(f"endpoint {endpoint} must name a file")
    if len(os.fsencode(path)) > IPC_PATH_BYTES:
        raise BadInput(
            f"endpoint {endpoint} is too long: a socket path has at most {IPC_PATH_BYTES} bytes; "
            "choose a shorter folder"
        )


def _check_address(endpoint: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host:
        raise BadInput(f"endpoint {endpoint} lacks a port: tcp://HOST:PORT")
    if port != "*" and not (port.isdecimal() and int(port) <= 65535):
        raise BadInput(f"endpoint {endpoint} has no valid port: {port!r}")
    return host.strip("[]")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # how a dual-stack socket reports 127.0.0.1
    return (mapped or address).is_loopback
