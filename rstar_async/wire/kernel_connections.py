"""The kernel's connections behind a ZeroMQ socket, which itself does not show them."""

import contextlib
import fcntl
import os
import socket
import stat
import struct
import termios
from collections.abc import Iterator


def cut_connections(endpoint: str, *, is_bound: bool) -> int:
    """Shut the connections of this process at `endpoint` down: those with unread input, or all if
    none has any. ZeroMQ drops what it holds of their incomplete messages; peers connect again.

    Returns how many were cut.
    """
    found = list(_connections(endpoint, is_bound=is_bound))
    busy = [connection for connection in found if has_input(connection)]
    for connection in busy or found:
        with contextlib.suppress(OSError):  # closed meanwhile
            connection.shutdown(socket.SHUT_RDWR)
    for connection in found:
        connection.close()
    return len(busy or found)


def has_unread_input(endpoint: str, *, is_bound: bool) -> bool:
    """Whether a connection of this process at `endpoint` has input that ZeroMQ has not read yet."""
    found = list(_connections(endpoint, is_bound=is_bound))
    try:
        return any(map(has_input, found))
    finally:
        for connection in found:
            connection.close()


def has_input(connection: socket.socket) -> bool:
    """Whether bytes wait to be read."""
    count = fcntl.ioctl(connection, termios.FIONREAD, bytes(4))
    return bool(struct.unpack("i", count)[0])


def _connections(endpoint: str, *, is_bound: bool) -> Iterator[socket.socket]:
    """Copies of the descriptors of all accepted (`is_bound`) or made connections."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile, or not connected
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(int(name)))
            if _is_at(copy, endpoint, is_bound=is_bound):
                yield copy
            else:
                copy.close()


def _is_at(connection: socket.socket, endpoint: str, *, is_bound: bool) -> bool:
    try:
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        peer = connection.getpeername()
        address = connection.getsockname() if is_bound else peer
    except OSError:
        return False
    scheme, _, rest = endpoint.partition("://")
    if scheme == "ipc":
        return bool(address == rest)
    return isinstance(address, tuple) and str(address[1]) == rest.rpartition(":")[2]
