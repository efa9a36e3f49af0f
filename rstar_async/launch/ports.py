"""Free TCP ports, kept free of everyone else for as long as a run needs them."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rstar_async.launch.network import PoolPorts
from rstar_async.wire.payloads import POOLS


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports that only a listener with SO_REUSEADDR may take, such as a broker or its successor.

    Each is bound here but does not listen. The kernel gives it to nobody who asks for any port.
    """
    with ExitStack() as sockets:
        yield [_bound(sockets) for _ in range(count)]


def ports_of_pools(ports: list[int]) -> dict[str, PoolPorts]:
    """Two of the ports for each pool."""
    return {pool: PoolPorts(*ports[2 * n : 2 * n + 2]) for n, pool in enumerate(POOLS)}


def _bound(sockets: ExitStack) -> int:
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    holder = sockets.enter_context(socket.socket(family))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    holder.bind(("", 0))
    port: int = holder.getsockname()[1]
    return port
