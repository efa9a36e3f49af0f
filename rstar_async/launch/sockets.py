"""The folder of the sockets of one machine's processes: a new one that only this user may enter."""

import os
import shutil
import tempfile
from pathlib import Path

from rstar_async.errors import BadInput
from rstar_async.wire.endpoints import IPC_PATH_BYTES
from rstar_async.wire.payloads import POOLS, Pool

PREFIX = "rstar-"


def clients_endpoint(folder: Path, pool: Pool) -> str:
    """The endpoint where the broker of `pool` listens for clients."""
    return f"ipc://{folder / pool}.clients"


def workers_endpoint(folder: Path, pool: Pool) -> str:
    """The endpoint where the broker of `pool` listens for workers."""
    return f"ipc://{folder / pool}.workers"


def make_socket_folder(bases: tuple[Path, ...] | None = None) -> Path:
    """A new folder with mode 0700, in the first base that we may write to and that is short."""
    for base in bases or default_bases():
        if os.access(base, os.W_OK | os.X_OK) and _fits(base):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    raise BadInput(
        "there is no folder for sockets: make XDG_RUNTIME_DIR or /tmp a writable folder "
        f"whose name leaves room for socket paths of at most {IPC_PATH_BYTES} bytes"
    )


def remove_socket_folder(folder: Path) -> None:
    """Remove a socket folder with all that is left in it; leave any other folder alone."""
    if folder.name.startswith(PREFIX) and folder.is_dir() and folder.stat().st_uid == os.getuid():
        shutil.rmtree(folder, ignore_errors=True)


def default_bases() -> tuple[Path, ...]:
    """The places for such folders on this machine, best first."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (*([Path(runtime)] if runtime else []), Path("/tmp"))


def _fits(base: Path) -> bool:
    """True if the longest socket name, and the lock that is put beside it, is a legal path."""
    folder = base / f"{PREFIX}12345678"
    names = [f"{folder / pool}.clients.lock" for pool in POOLS]
    return max(len(os.fsencode(name)) for name in names) <= IPC_PATH_BYTES
