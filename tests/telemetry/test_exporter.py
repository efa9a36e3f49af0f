"""Metrics over HTTP: where they are served, and where not."""

import socket

import httpx
import pytest

from rstar_async.errors import BadInput
from rstar_async.telemetry.exporter import serve_metrics


def test_metrics_are_served_on_loopback():
    address = serve_metrics("0")
    assert address.startswith("127.0.0.1:")
    text = httpx.get(f"http://{address}/metrics").text
    assert "# HELP rstar_broker_jobs " in text
    assert "process_resident_memory_bytes" in text


def test_metrics_are_served_over_ipv6():
    address = serve_metrics("[::1]:0")
    assert httpx.get(f"http://{address}/metrics").status_code == 200


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"metrics at {port}: Address already in use"):
            serve_metrics(str(port))


@pytest.mark.parametrize("address", ["", "host", "host:", ":x", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(BadInput, match="must be PORT or HOST:PORT"):
        serve_metrics(address)
