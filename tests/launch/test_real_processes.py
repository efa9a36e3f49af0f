"""A real broker and a real executor, with its sandbox, under a supervisor that is ended."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rstar_async.launch import linux
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder

SUPERVISE = """
import sys
from functools import partial
from pathlib import Path
import trio
from rstar_async.config import Recipe
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, processes
from rstar_async.launch.supervisor import run_processes

home, sockets = Path(sys.argv[1]), Path(sys.argv[2])
places = Places(home, home / "models", LocalSockets(sockets), home / "recipe.json")
specs = [s for s in processes(Recipe(), places) if s.name in ("broker-executor", "executor-1")]
sys.exit(trio.run(partial(run_processes, specs, places.logs)))
"""


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_no_broker_worker_or_sandbox_outlives_the_supervisor(
    tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    sockets = make_socket_folder()
    command = [sys.executable, "-c", SUPERVISE, str(tmp_path), str(sockets)]
    supervisor = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "worker joined" in read(tmp_path / "logs/broker-executor.log"))
        family = descendants(supervisor.pid)
        assert len(family) >= 4  # broker, executor, the sandbox's guard and its zygote
        supervisor.send_signal(number)
        assert supervisor.wait(20) == exit_code
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    finally:
        supervisor.kill()
        supervisor.wait()
        remove_socket_folder(sockets)


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    wanted = {pid}
    while wanted:
        wanted = {child.pid for parent in wanted for child in linux.children(parent)} - found
        found |= wanted
    return found


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
