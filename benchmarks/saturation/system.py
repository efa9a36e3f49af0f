"""The processes around the simulated engines, and the CPU time that each of them has used."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rstar_async.launch.sockets import (
    clients_endpoint,
    make_socket_folder,
    remove_socket_folder,
    workers_endpoint,
)
from rstar_async.wire.payloads import POOLS, Pool


class Cpu(NamedTuple):
    """CPU seconds of the coordinator's loop, of its other threads (the store's writer and its
    readers), of the processes that it has started (answers are compared there), of each broker."""

    loop: float
    store: float
    verifier: float
    brokers: dict[Pool, float]


class System:
    """Three brokers, executors and PPM that answer at once, a coordinator."""

    def __init__(self, sockets: Path, folder: Path) -> None:
        self.sockets, self._folder, self._log = sockets, folder, folder / "log"
        self._running: list[subprocess.Popen[bytes]] = []
        self._brokers = {pool: self._start_broker(pool) for pool in POOLS}
        for pool in ("executor", "reward"):
            self._start("benchmarks.search.rig", pool, workers_endpoint(sockets, pool))
        self._coordinator = 0

    def start_coordinator(self, trees: int, *, barrier: bool) -> None:
        database = f"sqlite:///{self._folder}/store.db"
        endpoints = [clients_endpoint(self.sockets, pool) for pool in POOLS]
        self._coordinator = self._start(
            "benchmarks.saturation.coordinator", database, str(trees), str(int(barrier)), *endpoints
        )

    def cpu(self) -> Cpu:
        threads = _threads(self._coordinator)
        loop = threads.pop(self._coordinator, 0.0)
        started = sum(sum(_threads(pid).values()) for pid in _children(self._coordinator))
        brokers = {pool: sum(_threads(pid).values()) for pool, pid in self._brokers.items()}
        return Cpu(loop, sum(threads.values()), started, brokers)

    def check(self) -> None:
        """Raise if a process has ended."""
        for process in self._running:
            if process.poll() is not None:
                said = self._log.read_text(errors="replace").splitlines()[-5:]
                raise RuntimeError("\n".join(["a process of the benchmark has ended:", *said]))

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()

    def _start_broker(self, pool: Pool) -> int:
        clients, workers = (
            clients_endpoint(self.sockets, pool),
            workers_endpoint(self.sockets, pool),
        )
        letters = str(self._folder / "letters" / pool)
        return self._start(
            *("brokers", pool, "--clients", clients, "--workers", workers, "--letters", letters)
        )

    def _start(self, *words: str) -> int:
        command = [sys.executable, "-m", *words]
        with self._log.open("ab") as log:
            self._running.append(subprocess.Popen(command, stderr=log, start_new_session=True))
        return self._running[-1].pid


@contextmanager
def open_system() -> Iterator[System]:
    """Started; at the end it is stopped and nothing of it is left."""
    sockets = make_socket_folder()
    with tempfile.TemporaryDirectory(prefix="bench-saturation-") as folder:
        system = System(sockets, Path(folder))
        try:
            yield system
        finally:
            system.stop()
            remove_socket_folder(sockets)


def _threads(pid: int) -> dict[int, float]:
    """CPU seconds of each thread of a process that is alive."""
    found = {}
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/schedstat") as times:
                found[int(thread)] = int(times.read().split()[0]) / 1e9
    return found


def _children(pid: int) -> list[int]:
    with suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]
    return []
