"""A PostgreSQL server of our own, which may be stopped and started: `own_server()`.

Made from Debian's server programs or those of PATH; a test without them is skipped.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Server:
    """Runs in `folder`, as `user` if that is given."""

    def __init__(self, folder: Path, programs: Path, user: int | None) -> None:
        self._folder, self._programs, self._user = folder, programs, user
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "--auth=trust", "--username=tester", "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "--wait", f"--options={options}", f"--log={self._folder}/log")

    def stop(self) -> None:
        """At once, as if it had crashed."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), f"--pgdata={self._folder}/data", *arguments]
        subprocess.run(
            command, user=self._user, check=True, stdout=subprocess.DEVNULL, cwd=self._folder
        )


@contextmanager
def own_server() -> Iterator[Server]:
    """A started server; stopped and gone afterwards."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs here")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="rstar-postgres-"))
    if user is not None:
        os.chown(folder, user, -1)
    server = Server(folder, programs, user)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _programs() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("pg_ctl", path=os.pathsep.join(map(str, reversed(debian))))
    found = found or shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def _user() -> int | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        pytest.skip("root needs a user 'postgres' to run a server as")
