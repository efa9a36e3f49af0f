"""One run per home folder: a lock that is released when its holder ends, however it ends."""

import fcntl
import os
import socket
from pathlib import Path
from typing import Self

import msgspec

from rstar_async.errors import BadInput
from rstar_async.launch.run_folders import is_run, why_no_run
from rstar_async.launch.sockets import remove_socket_folder

NAME = "run.lock"


class NotRunning(BadInput):
    """The folder is that of a run, which is not going on."""


class LockHolder(msgspec.Struct, frozen=True):
    """Who holds the lock, and the socket folder to remove should it die without doing so."""

    pid: int
    sockets: str = ""
    host: str = ""

    def __str__(self) -> str:
        elsewhere = self.host not in ("", socket.gethostname())
        return f"pid {self.pid}{f' on {self.host}' * elsewhere}"


class RunLock:
    """Held inside `with`; a second holder of the same home is refused with `BadInput`.

    The file stays behind, unlocked: removing it would race with the next process that opens it. The
    kernel releases the lock of a killed holder; the next holder removes its socket folder.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / NAME
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = self._open()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._read()
            os.close(self._descriptor)
            raise BadInput(
                f"a run in {self._file.parent} is already going on ({holder}): "
                "stop it, or give this one another name"
            ) from None
        if (left := self._read().sockets) != "":
            remove_socket_folder(Path(left))
        self._write(LockHolder(os.getpid(), host=socket.gethostname()))
        return self

    def note_sockets(self, folder: Path) -> None:
        """Remember what to remove if this process is killed."""
        self._write(LockHolder(os.getpid(), str(folder), socket.gethostname()))

    def __exit__(self, *_: object) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def _open(self) -> int:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadInput(f"cannot write to {self._file.parent}: {error.strerror}") from None

    def _read(self) -> LockHolder:
        try:
            return msgspec.json.decode(os.pread(self._descriptor, 4096, 0), type=LockHolder)
        except msgspec.MsgspecError:
            return LockHolder(pid=0)  # a holder that has not written its name yet, or was killed

    def _write(self, holder: LockHolder) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, msgspec.json.encode(holder), 0)


def running_holder(home: Path) -> LockHolder:
    """The process that runs in this home now; `NotRunning` if there is none, `BadInput` if the
    folder is no run's."""
    try:
        with open(home / NAME, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        if not is_run(home):
            raise BadInput(why_no_run(home)) from None
    except BlockingIOError:
        return msgspec.json.decode((home / NAME).read_bytes(), type=LockHolder)
    raise NotRunning(f"no run is going on in {home}")
