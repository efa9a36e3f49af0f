import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.errors import BadInput
from rstar_async.launch.lock import RunLock
from rstar_async.launch.sockets import make_socket_folder

HOLD = """
import sys, time
from pathlib import Path
from rstar_async.launch.lock import RunLock
with RunLock(Path(sys.argv[1])) as lock:
    lock.note_sockets(Path(sys.argv[2]))
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_in_the_same_home_is_refused_with_the_holders_pid(tmp_path: Path) -> None:
    with RunLock(tmp_path), pytest.raises(BadInput, match=rf"pid {os.getpid()}\)"):
        RunLock(tmp_path).__enter__()


def test_after_the_run_the_home_is_free(tmp_path: Path) -> None:
    with RunLock(tmp_path):
        pass
    with RunLock(tmp_path):
        pass


def test_a_killed_holder_frees_the_home_and_its_sockets_are_removed(short_path: Path) -> None:
    sockets = make_socket_folder((short_path,))
    (sockets / "inference.clients").touch()
    command = [sys.executable, "-c", HOLD, str(short_path), str(sockets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match=f"pid {holder.pid}"):
            RunLock(short_path).__enter__()
        holder.send_signal(signal.SIGKILL)
    with RunLock(short_path):
        assert not sockets.exists()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="file"):
        RunLock(tmp_path / "file" / "home").__enter__()
