"""A broker as users have it: a process of its own, so that its memory is its own too."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def broker_in(folder: Path) -> Iterator[subprocess.Popen]:
    """Listens for clients at the socket `c` of the folder, for workers at `w`."""
    command = [sys.executable, "-m", "brokers", "executor"]
    command += ["--clients", f"ipc://{folder}/c", "--workers", f"ipc://{folder}/w"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
