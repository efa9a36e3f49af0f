"""Real SGLang servers for tests. RSTAR_TEST_SGLANG names a program: `PROGRAM serve MODEL PORT …`.

A server takes half a minute and 1.8 GiB: one for each kind in a session, none unless asked for.
"""

import os
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PROGRAM = os.environ.get("RSTAR_TEST_SGLANG", "")
LAUNCH = f"{shlex.quote(PROGRAM)} serve {{model}} {{port}}"
PATIENCE_SECONDS = 300

needs_sglang = [
    pytest.mark.sglang,
    pytest.mark.skipif(not PROGRAM, reason="RSTAR_TEST_SGLANG is not set"),
]


@contextmanager
def serving(model: Path, log: Path, *arguments: str) -> Iterator[str]:
    """A server for `model`; gives its URL."""
    port = free_port()
    argv = [PROGRAM, "serve", str(model), str(port), "--log-level-http", "warning", *arguments]
    with log.open("wb") as out:
        server = subprocess.Popen(argv, stdout=out, stderr=out)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            if httpx.get(f"{url}/health", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    pytest.fail(f"SGLang did not start: {log.read_text(errors='replace')[-3000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
