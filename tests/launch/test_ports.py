import socket

import pytest
import zmq

from rstar_async.launch.ports import ports_of_pools, reserved_ports


def test_a_broker_and_its_successor_can_take_a_reserved_port() -> None:
    with reserved_ports(1) as (port,):
        for _ in range(2):
            with zmq.Context() as context, context.socket(zmq.ROUTER) as broker:
                broker.set(zmq.IPV6, 1)
                broker.bind(f"tcp://*:{port}")


def test_nobody_else_takes_a_reserved_port() -> None:
    with (
        reserved_ports(1) as (port,),
        socket.socket() as other,
        pytest.raises(OSError, match="in use"),
    ):
        other.bind(("", port))


def test_every_pool_has_two_ports_of_its_own() -> None:
    with reserved_ports(7) as ports:
        pools = ports_of_pools(ports)
    used = [port for pool in pools.values() for port in (pool.clients, pool.workers)]
    assert len({*used}) == 6
    assert {*used} < {*ports}
