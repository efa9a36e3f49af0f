"""A fork server and its nodes, from the worker's side.

Guarantees: every process behind the wall is either known here by a pidfd or hunted down; a child
comes forth only from an order of ours; when the guard is gone, so is everything else.
"""

import array
import os
import socket
from contextlib import suppress

import trio

from workers.sandbox import channel, process_group
from workers.sandbox.errors import ForkRefused, Obstructed, ZygoteLost
from workers.sandbox.fork_permits import ForkPermits
from workers.sandbox.inside.frames import DEATH, HELLO
from workers.sandbox.interpreter import Death, Interpreter
from workers.sandbox.launch import Confinement, Launched

GOODBYE_SECONDS = 10.0
UNCLAIMED = 256  # deaths remembered of children that died before we learnt their pid


class Zygote:
    """One flavour's interpreter, warm and locked, and all that was forked from it."""

    def __init__(self, launched: Launched, greeting_seconds: float) -> None:
        self._launched = launched
        self._greeting_seconds = greeting_seconds
        self._deaths = launched.deaths
        self._unclaimed: dict[int, Death] = {}
        self._nodes: dict[int, Interpreter] = {}
        self._suspicion = trio.Event()
        self.tickets = ForkPermits(self._kill_pid)
        self.root = self._register(launched.pid, launched.control, trusted=True)
        self.base_mib = self.root.memory_mib()[1]
        self.lost = False

    @property
    def can_hold(self) -> bool:
        """Whether nodes may be kept to be continued: only where forks need tickets."""
        return self._launched.listener >= 0

    @property
    def locks(self) -> Confinement:
        """What is in force."""
        return self._launched.locks

    @property
    def pids(self) -> set[int]:
        """Every process known to be alive, the guard and the zygote among them."""
        return {*self._nodes, self._launched.process.pid}

    async def attend(self) -> None:
        """Answer forks and hear of deaths until the guard is gone."""
        try:
            async with trio.open_nursery() as nursery:
                if self.can_hold:
                    nursery.start_soon(self.tickets.answer, self._launched.listener)
                nursery.start_soon(self._hunt)
                await self._hear_of_deaths()
                nursery.cancel_scope.cancel()
        finally:
            self._give_up()

    async def close(self) -> None:
        """Leave nothing behind; returns when the guard has reaped everything and gone."""
        with trio.CancelScope(shield=True):
            self._give_up()
            with trio.move_on_after(GOODBYE_SECONDS) as patience:
                await self._launched.process.wait()
            self.root.release()
            if patience.cancelled_caught:
                self._launched.process.kill()
                await self._launched.process.wait()

    def _give_up(self) -> None:
        """Hang up on the guard, which then ends all; kill what is known in case it cannot."""
        self.lost = True
        if self._deaths.fileno() >= 0:
            trio.lowlevel.notify_closing(self._deaths)
            self._deaths.close()
        while self._nodes:
            _, node = self._nodes.popitem()
            node.kill()
            node.bury(None)

    async def fork(self, parent: Interpreter, output: channel.Pipe) -> Interpreter:
        """A child of `parent`, greeting and waiting for its request. A cancel waits for the child.

        Raises ForkRefused if the parent could not, Obstructed if it would not; a parent that has
        run user code is killed for either.
        """
        parent.pins += 1
        try:
            async with parent.lock:
                with trio.CancelScope(shield=True):
                    node = await self._fork(parent, output)
            return node
        finally:
            parent.pins -= 1

    async def _fork(self, parent: Interpreter, output: channel.Pipe) -> Interpreter:
        ours, theirs = channel.pair()
        with theirs:
            self.tickets.grant(parent.pid)
            parent.resume()
            ordered = _order(parent.sock, theirs, output)
        output.close_writer()
        word, pid, late = b"", 0, False
        if ordered:
            with trio.move_on_after(self._greeting_seconds) as patience:
                word, pid = await channel.receive(ours)
            late = patience.cancelled_caught
        used = self.tickets.revoke(parent.pid)
        parent.pause()
        if (
            word == HELLO
            and pid not in self._nodes
            and process_group.group_of(pid) == self.root.pid
        ):
            return self._register(pid, ours)
        ours.close()
        raise self._refusal(parent, obstructed=late or used)

    def _refusal(self, parent: Interpreter, *, obstructed: bool) -> Exception:
        """What became of an order that brought no child."""
        if self.lost:
            return ZygoteLost("the fork server is gone")
        if obstructed:
            self._suspicion.set()
        if not parent.trusted:
            parent.kill()
            if obstructed and self.can_hold:
                return Obstructed("the state that these steps leave behind cannot be continued")
        return ForkRefused("no new process: too many processes, or too little memory")

    def _register(self, pid: int, sock: socket.socket, *, trusted: bool = False) -> Interpreter:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            pidfd = -1
        node = Interpreter(pid, pidfd, sock, trusted)
        early = self._unclaimed.pop(pid, None)
        if early is None and pidfd >= 0:
            self._nodes[pid] = node
        else:
            node.bury(early)
        return node

    async def _hear_of_deaths(self) -> None:
        while not self.lost:
            try:
                message, _ = await channel.receive(self._deaths)
            except trio.ClosedResourceError:
                return
            if not message:
                return
            pid, status, cpu, peak_kib = DEATH.unpack(message)
            self._bury(pid, Death(status, cpu, peak_kib / 1024))

    def _bury(self, pid: int, death: Death) -> None:
        self.tickets.forget(pid)
        if node := self._nodes.pop(pid, None):
            node.bury(death)
            return
        self._unclaimed[pid] = death
        while len(self._unclaimed) > UNCLAIMED:
            del self._unclaimed[next(iter(self._unclaimed))]

    def _kill_pid(self, pid: int) -> None:
        if pid != self.root.pid and (node := self._nodes.get(pid)):
            node.offence = "killed for trying to fork again and again"
            node.kill()
        else:
            self._suspicion.set()

    async def _hunt(self) -> None:
        """Kill members of the group that nobody greeted us from, once there is cause to look."""
        while True:
            await self._suspicion.wait()
            self._suspicion = trio.Event()
            before = self.strangers()
            await trio.sleep(self._greeting_seconds)
            for pid in before & self.strangers():
                process_group.kill(pid, self.root.pid)

    def strangers(self) -> set[int]:
        """Members of the group that we do not know."""
        return process_group.members(self.root.pid) - self._nodes.keys()


def _order(parent: socket.socket, control: socket.socket, output: channel.Pipe) -> bool:
    rights = array.array("i", [control.fileno(), output.writer])
    with suppress(OSError):
        parent.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        return True
    return False
