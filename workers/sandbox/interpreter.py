"""One confined interpreter as the worker sees it: a pid, a pidfd and a socket."""

import os
import select
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field

import trio

OF_NO_FILE = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
CPUCLOCK_SCHED = 2  # with a pid, the clock of that process: what clock_getcpuclockid(3) gives


@dataclass(frozen=True)
class ProcessExit:
    """How a process ended, as reported by the guard that reaped it."""

    status: int
    cpu_seconds: float
    peak_mib: float

    @property
    def signal(self) -> int:
        """The signal that killed it, 0 if it exited."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else 0


@dataclass(eq=False)
class Interpreter:
    """Signals are sent by pidfd, never by pid: a recycled pid cannot be hit."""

    pid: int
    pidfd: int
    sock: socket.socket
    trusted: bool = False  # the zygote: runs no user code, never stopped
    pins: int = 0  # continuations under way; pinned nodes are not evicted
    lock: trio.Lock = field(default_factory=trio.Lock)
    exited: trio.Event = field(default_factory=trio.Event)
    exit_info: ProcessExit | None = None
    killed: bool = False  # by the worker
    own_mib: float = 0.0  # after its step
    kill_reason: str = ""  # why the worker killed it early, if it did
    started: float = 0.0  # when the clock of its job began, in trio's time

    def pause(self) -> None:
        """Stop it: a step may have left a signal handler or a loop behind."""
        if not self.trusted:
            self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue, to serve one request."""
        if not self.trusted:
            self._signal(signal.SIGCONT)

    def stop_listening(self) -> None:
        """Let nothing arrive that it or its children send here: what waits they would share."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def kill(self) -> None:
        """Works on stopped, looping and signal-ignoring processes alike; may be repeated."""
        self.killed |= self.pidfd >= 0
        self._signal(signal.SIGKILL)

    def is_dead(self) -> bool:
        """Whether it has ended, though the guard may not have said so yet."""
        if self.pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def release(self) -> None:
        """Kill it and close the socket, from which no task may be reading any more."""
        self.kill()
        self.sock.close()

    def mark_exited(self, exit_info: ProcessExit | None) -> None:
        """The guard has reaped it; readers of its socket get what is queued, then the end."""
        self.exit_info = exit_info
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        self.exited.set()

    def _signal(self, number: signal.Signals) -> None:
        if self.pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def cpu_seconds(self) -> float:
        """CPU seconds so far, measured by the kernel; 0 if the process is gone."""
        try:
            return time.clock_gettime(~self.pid << 3 | CPUCLOCK_SCHED)
        except OSError:
            return 0.0

    def memory_mib(self) -> tuple[float, float]:
        """MiB of memory, measured by the kernel: the resident peak; what is of no file now.

        The latter includes memory that is shared, and what has been swapped out.
        """
        try:
            status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return 0.0, 0.0
        try:
            text = os.read(status, 8192)
        except OSError:
            return 0.0, 0.0
        finally:
            os.close(status)
        return _mib(text, b"VmHWM:"), sum(_mib(text, key) for key in OF_NO_FILE)


def _mib(text: bytes, key: bytes) -> float:
    _, found, rest = text.partition(key)
    return int(rest.split(None, 1)[0]) / 1024 if found else 0.0
