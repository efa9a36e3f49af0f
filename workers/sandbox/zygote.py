"""A fork server and its nodes, from the worker's side.

Guarantees: every confined process is either known here by a pidfd or found and killed; children are
created only by our fork requests; when the guard is gone, so is every other process. An
interpreter that has run user code answers a fork request within the limits of the job, or it is
killed; whatever it has created instead is killed `STRANGER_SECONDS` later, or twice that.
"""

import array
import os
import signal
import socket
from contextlib import suppress

import trio

from workers.sandbox import channel, process_group
from workers.sandbox.errors import (
    ForkRefused,
    ForkRefusedByProgram,
    Obstructed,
    SandboxError,
    ZygoteLost,
)
from workers.sandbox.fork_permits import ForkPermits
from workers.sandbox.inside.frames import EXIT, HELLO, REFUSED
from workers.sandbox.interpreter import Interpreter, ProcessExit
from workers.sandbox.launch import Confinement, Launched

SHUTDOWN_SECONDS = 10.0
GRACE_SECONDS = 0.3  # beyond the limits of a job, for its parent to bring a child
FORK_CPU_SECONDS = 0.5  # of the parent, before it counts as busy with something else
STRANGER_SECONDS = 0.3  # for an unknown process to say hello, once one is suspected
EXIT_REPORT_SECONDS = 0.3  # for the guard to report the death that may explain a silence
CPU_POLL_SECONDS = 0.1
LATE = b"late"  # instead of a greeting
SHORTAGE = "no new process: too many processes, or too little memory"
MAX_EARLY_EXITS = 256  # exits remembered of children that ended before their pid was known


class Zygote:
    """One flavour's warm, confined interpreter and all processes forked from it."""

    def __init__(self, launched: Launched, greeting_seconds: float) -> None:
        self._launched = launched
        self._greeting_seconds = greeting_seconds
        self._exits = launched.exits
        self._early_exits: dict[int, ProcessExit] = {}
        self._nodes: dict[int, Interpreter] = {}
        self._unknown_suspected = trio.Event()
        self._unknown_kills = 0  # processes killed before they had said hello
        self._exit_seen = trio.lowlevel.ParkingLot()
        self.fork_permits = ForkPermits(self._kill_pid)
        self.root = self._register(launched.pid, launched.control, trusted=True)
        self.base_mib = self.root.memory_mib()[1]
        self.lost = False

    @property
    def keeps_snapshots(self) -> bool:
        """Whether nodes may be kept to be continued: only where forks need permits."""
        return self._launched.listener >= 0

    @property
    def confinement(self) -> Confinement:
        """The protections in force."""
        return self._launched.confinement

    @property
    def pids(self) -> set[int]:
        """Every process known to be alive, the guard and the zygote among them."""
        return {*self._nodes, self._launched.process.pid}

    async def supervise(self) -> None:
        """Serve fork permits and receive exits until the guard is gone."""
        try:
            async with trio.open_nursery() as nursery:
                if self.keeps_snapshots:
                    nursery.start_soon(self.fork_permits.serve, self._launched.listener)
                nursery.start_soon(self._kill_unknown)
                await self._receive_exits()
                nursery.cancel_scope.cancel()
        finally:
            self._abandon()

    async def close(self) -> None:
        """End all processes; returns when the guard has reaped them and exited."""
        with trio.CancelScope(shield=True):
            self._abandon()
            with trio.move_on_after(SHUTDOWN_SECONDS) as scope:
                await self._launched.process.wait()
            self.root.release()
            if scope.cancelled_caught:
                self._launched.process.kill()
                await self._launched.process.wait()

    def _abandon(self) -> None:
        """Close the guard's socket, which makes it kill everything; kill known nodes here too."""
        self.lost = True
        if self._exits.fileno() >= 0:
            trio.lowlevel.notify_closing(self._exits)
            self._exits.close()
        while self._nodes:
            _, node = self._nodes.popitem()
            node.kill()
            node.mark_exited(None)

    async def fork(
        self, parent: Interpreter, output: channel.Output, seconds: float
    ) -> Interpreter:
        """A child of `parent` that has said hello and waits for its request; shielded from cancels.

        A parent that has run user code has as long as the job for which the child is: `seconds`,
        and its clock runs from now on. Raises ForkRefused if the parent could not fork, Obstructed
        if it did not obey; a parent that has run user code is killed in both cases.
        """
        parent.pins += 1
        try:
            async with parent.lock:
                with trio.CancelScope(shield=True):
                    node = await self._fork(parent, output, seconds + GRACE_SECONDS)
            return node
        finally:
            parent.pins -= 1

    async def _fork(
        self, parent: Interpreter, output: channel.Output, seconds: float
    ) -> Interpreter:
        started, kills_before = trio.current_time(), self._unknown_kills
        ours, theirs = channel.pair()
        with theirs:
            self.fork_permits.grant(parent.pid)
            parent.resume()
            requested = _send_fork_request(parent.sock, theirs, output)
        output.close_writer()
        seconds = self._greeting_seconds if parent.trusted else min(self._greeting_seconds, seconds)
        greeting, pid = await _greeting(ours, parent, seconds) if requested else (b"", 0)
        used = self.fork_permits.revoke(parent.pid)
        parent.pause()
        if greeting == HELLO and self._is_newborn(pid):
            node = self._register(pid, ours)
            node.started = trio.current_time() if parent.trusted else started
            return node
        ours.close()
        if used or greeting == LATE:
            self._unknown_suspected.set()
        raise await self._refusal(parent, greeting, kills_before)

    def _is_newborn(self, pid: int) -> bool:
        return pid not in self._nodes and process_group.group_of(pid) == self.root.pid

    async def _refusal(
        self, parent: Interpreter, greeting: bytes, kills_before: int
    ) -> SandboxError:
        """Why a fork request has brought no child; kills a parent that has run user code."""
        was_killed = greeting == b"" and await self._was_killed(parent, kills_before)
        if self.lost:
            return ZygoteLost("the fork server is gone")
        if parent.trusted:
            return ForkRefused(SHORTAGE)
        parent.kill()
        if was_killed or greeting == REFUSED:
            return ForkRefusedByProgram(SHORTAGE)
        return Obstructed("the state that these steps leave behind cannot be continued")

    async def _was_killed(self, parent: Interpreter, kills_before: int) -> bool:
        """Whether the parent, or a process that might be the child, was killed from outside."""
        with trio.move_on_after(EXIT_REPORT_SECONDS):
            while not parent.exited.is_set() and self._unknown_kills == kills_before:
                await self._exit_seen.park()
        killed = parent.exit_info is not None and parent.exit_info.signal == signal.SIGKILL
        return killed or self._unknown_kills > kills_before

    def _register(self, pid: int, sock: socket.socket, *, trusted: bool = False) -> Interpreter:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            pidfd = -1
        node = Interpreter(pid, pidfd, sock, trusted)
        early_exit = self._early_exits.pop(pid, None)
        if early_exit is None and pidfd >= 0:
            self._nodes[pid] = node
        else:
            node.mark_exited(early_exit)
        return node

    async def _receive_exits(self) -> None:
        while not self.lost:
            try:
                message, _ = await channel.receive(self._exits)
            except trio.ClosedResourceError:
                return
            if not message:
                return
            pid, status, cpu, peak_kib = EXIT.unpack(message)
            self._mark_exited(pid, ProcessExit(status, cpu, peak_kib / 1024))

    def _mark_exited(self, pid: int, exit_info: ProcessExit) -> None:
        self.fork_permits.forget(pid)
        self._exit_seen.unpark_all()
        if node := self._nodes.pop(pid, None):
            node.mark_exited(exit_info)
            return
        self._unknown_kills += exit_info.signal == signal.SIGKILL
        self._early_exits[pid] = exit_info
        while len(self._early_exits) > MAX_EARLY_EXITS:
            del self._early_exits[next(iter(self._early_exits))]

    def _kill_pid(self, pid: int) -> None:
        if pid != self.root.pid and (node := self._nodes.get(pid)):
            node.kill_reason = "killed for trying to fork again and again"
            node.kill()
        else:
            self._unknown_suspected.set()

    async def _kill_unknown(self) -> None:
        """Kill unknown members of the process group, whenever there is reason to look for them."""
        while True:
            await self._unknown_suspected.wait()
            self._unknown_suspected = trio.Event()
            for _ in range(2):  # one may just be coming into being
                before = self.unknown_processes()
                await trio.sleep(STRANGER_SECONDS)
                for pid in before & self.unknown_processes():
                    process_group.kill(pid, self.root.pid)

    def unknown_processes(self) -> set[int]:
        """Members of the process group that are not known here."""
        return process_group.members(self.root.pid) - self._nodes.keys()


async def _greeting(sock: socket.socket, parent: Interpreter, seconds: float) -> tuple[bytes, int]:
    """What comes from the child, and the sender's pid; LATE if nothing does.

    A parent that has run user code has `FORK_CPU_SECONDS` of CPU time, too.
    """
    with trio.move_on_after(seconds):
        if parent.trusted:
            return await channel.receive(sock)
        cpu_before = parent.cpu_seconds()
        while parent.cpu_seconds() - cpu_before < FORK_CPU_SECONDS:
            with trio.move_on_after(CPU_POLL_SECONDS):
                return await channel.receive(sock)
    return LATE, 0


def _send_fork_request(
    parent: socket.socket, control: socket.socket, output: channel.Output
) -> bool:
    rights = array.array("i", [control.fileno(), output.writer])
    with suppress(OSError):
        parent.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        return True
    return False
