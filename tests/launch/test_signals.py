"""A supervisor in a process of its own, to be signalled and killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SUPERVISE = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may have been started by nohup
import sys
from functools import partial
from pathlib import Path
import trio
from rstar_async.launch.processes import ProcessSpec
from rstar_async.launch.supervisor import run_processes

home = Path(sys.argv[1])
specs = [
    ProcessSpec(name=name, argv=("sh", "-c", script, str(home / name)), on_terminal=name == "main",
                grace_seconds=30, stop_order=order, ends_run=name == "main")
    for order, (name, script) in enumerate(zip(sys.argv[2::2], sys.argv[3::2]))
]
sys.exit(trio.run(partial(run_processes, specs, home / "logs")))
"""
STOPPABLE = "trap 'echo $0 stopped; exit 1' TERM; echo $$ > $0.pid; while :; do sleep 0.02; done"
STUBBORN = "trap '' TERM; echo $$ > $0.pid; while :; do sleep 0.02; done"
SLEEPING = "echo $$ > $0.pid; exec sleep 1000"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor of the named scripts and wait until all of them run."""
    started = []

    def start(**scripts: str) -> subprocess.Popen[str]:
        words = [word for item in scripts.items() for word in item]
        command = [sys.executable, "-c", SUPERVISE, str(tmp_path), *words]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True))
        wait_until(lambda: all(pids(tmp_path).get(name) for name in scripts))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def pids(home: Path) -> dict[str, int]:
    return {file.stem: int(file.read_text() or 0) for file in home.glob("*.pid")}


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def none_runs(home: Path) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids(home).values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_drains(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    supervisor = start(main=STOPPABLE, worker=STOPPABLE)
    supervisor.send_signal(number)
    out, err = supervisor.communicate(timeout=20)
    assert supervisor.returncode == 128 + number
    assert out == f"{tmp_path}/main stopped\n"
    assert f"{number.name}: stopping; once more to stop at once" in err
    assert "worker stopped" in (tmp_path / "logs/worker.log").read_text()
    assert none_runs(tmp_path)


def test_the_second_signal_stops_at_once(start: Start, tmp_path: Path) -> None:
    supervisor = start(main=STUBBORN, worker=STUBBORN)
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.stderr is not None
    assert "once more" in supervisor.stderr.readline()
    supervisor.send_signal(signal.SIGINT)
    supervisor.communicate(timeout=10)
    assert supervisor.returncode == 128 + signal.SIGINT
    assert none_runs(tmp_path)


def test_killing_the_supervisor_leaves_nothing_running(start: Start, tmp_path: Path) -> None:
    supervisor = start(main=STUBBORN, worker=SLEEPING, broker=STOPPABLE)
    supervisor.kill()
    wait_until(lambda: none_runs(tmp_path))


@pytest.mark.slow
def test_children_outlive_the_supervisors_short_lived_threads(start: Start, tmp_path: Path) -> None:
    """trio's threads end after ten idle seconds; a child forked by one would die with it."""
    supervisor = start(main=SLEEPING)
    before = pids(tmp_path)
    time.sleep(12)
    assert supervisor.poll() is None
    assert pids(tmp_path) == before
    assert not none_runs(tmp_path)
