"""One started process: its start, its end, and the end of everything it started itself."""

import contextlib
import os
import signal
import subprocess
from typing import Protocol, Self

import trio

from rstar_async.launch.linux import die_with
from rstar_async.launch.processes import ProcessSpec


class Output(Protocol):
    """Where a process writes, such as a log file."""

    def open(self) -> int:
        """A file descriptor, for the caller to close."""


class Child:
    """A process in a session of its own, so that a Ctrl-C in the terminal does not reach it.

    It dies with its launcher, even if that is killed by SIGKILL. When it ends, for whatever reason,
    the rest of its process group is killed.
    """

    def __init__(self, spec: ProcessSpec, popen: subprocess.Popen[bytes]) -> None:
        self.spec = spec
        self.gone = trio.Event()
        self._popen = popen
        self._pidfd = os.pidfd_open(popen.pid)

    @classmethod
    def start(cls, spec: ProcessSpec, log: Output) -> Self:
        """Start it from this thread (see `die_with`); trio would use a short-lived one."""
        output = log.open()
        try:
            popen = subprocess.Popen(
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=None if spec.on_terminal else output,
                stderr=output,
                env={**os.environ, **spec.env},
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            )
        finally:
            os.close(output)
        return cls(spec, popen)

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def wait(self) -> int:
        """Wait for its end; return the exit code, or the negative number of the killing signal."""
        await trio.lowlevel.wait_readable(self._pidfd)
        return self.reap()

    def ask_to_stop(self) -> None:
        """Send its stop signal to the process alone: it stops its own children in order."""
        if not self.gone.is_set():
            signal.pidfd_send_signal(self._pidfd, self.spec.stop_signal)

    def kill(self) -> None:
        """Send SIGKILL to the whole group."""
        if not self.gone.is_set():
            self._kill_group()

    async def stop(self) -> None:
        """Send the stop signal, wait for `grace_seconds`, kill. Another task must be in `wait`."""
        self.ask_to_stop()
        with trio.move_on_after(self.spec.grace_seconds):
            await self.gone.wait()
        self.kill()

    def reap(self) -> int:
        """Collect a process that has ended or was killed, and kill what is left of its group."""
        if not self.gone.is_set():
            # Not reaped yet, so the number of the group cannot belong to anyone else.
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
            self._kill_group()
            self._popen.wait()
            os.close(self._pidfd)
            self.gone.set()
        return self._popen.returncode

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def describe_end(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, perhaps for want of memory" if -code == signal.SIGKILL else name
