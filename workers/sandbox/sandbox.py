"""Runs programs step by step, confined so that they can harm nothing but their own result.

What is covered: files, network, processes, signals, threads, machine code, memory, CPU, wall time,
output, the environment, other programs' state, and processes left behind by a worker's death.
What is not: bugs of the kernel behind some seventy calls, timing, whether a path exists, and a
program that lies about its own result (it could as well have caught its own exceptions).

A program's interpreter is kept, stopped, after each of its steps; the next step forks it. Where
none is kept, the steps before are run again, in one go, and the result is kept.
"""

import os
import resource
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import trio

from workers.sandbox import policy
from workers.sandbox.errors import (
    ForkRefused,
    ForkRefusedByProgram,
    KilledByKernel,
    SandboxError,
    ZygoteLost,
)
from workers.sandbox.execution import Outcome
from workers.sandbox.interpreter import Interpreter
from workers.sandbox.launch import Confinement, launch
from workers.sandbox.limits import room_here
from workers.sandbox.replay import Program, ProgramRunner, Statistics, obstructed, release
from workers.sandbox.snapshots import Snapshots
from workers.sandbox.zygote import Zygote

ATTEMPTS = 4  # with the snapshot, without it, with half of the others gone, on a new fork server
RETRY_SECONDS = 0.05
EXIT_SECONDS = 5.0  # for held interpreters to be gone
WANTED_DESCRIPTORS = 65536  # two for each held node


@dataclass(frozen=True)
class Options:
    """How many interpreters to hold at most; `allow` names protections that may be missing.

    Where the machine or the control group has less, fewer are held.
    """

    slots: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    held_nodes: int = 512
    held_mib: float = 3072.0
    allow: Collection[policy.Waiver] = ()
    python: str = sys.executable
    greeting_seconds: float = 10.0  # for a new process to say hello, on an overloaded machine
    prestart: tuple[policy.Flavour, ...] = ("plain",)

    def with_slots(self, slots: int) -> "Options":
        """These options with another number of programs at a time."""
        return replace(self, slots=slots)


class Sandbox:
    """Any number of runs at once, `slots` of them in progress. Made by `open_sandbox`."""

    def __init__(self, options: Options, nursery: trio.Nursery) -> None:
        self._options = options
        self._nursery = nursery
        self._slots = trio.Semaphore(options.slots)
        self._alone = trio.Lock()
        self._room = room_here(options.held_nodes, options.held_mib)
        self._zygotes: dict[policy.Flavour, Zygote] = {}
        self._starting = {flavour: trio.Lock() for flavour in policy.FLAVOURS}
        self._snapshots: Snapshots[Interpreter] = Snapshots(
            self._room.held_nodes, self._room.held_mib
        )
        self._runner = ProgramRunner(self._snapshots)

    async def run(
        self, tree: str, steps: Sequence[str], limits: policy.Bounds | None = None
    ) -> Outcome:
        """Run `steps[-1]` in the state that `steps[:-1]` leave behind; limits hold for each step.

        A program that something else kills is run again with nothing beside it. A cancelled run
        leaves no process behind. Raises SandboxError only if the sandbox itself cannot be repaired,
        or has too little memory for one program: whatever a program does is an outcome.
        """
        if not steps:
            raise ValueError("a program has at least one step")
        bounds = self._room.limits(limits or policy.Limits())
        async with self._slots:
            self.statistics.runs += 1
            try:
                return await self._retry(tree, list(steps), bounds)
            except KilledByKernel:
                self.statistics.killed += 1
        return await self._run_alone(tree, list(steps), bounds)

    async def _run_alone(self, tree: str, steps: list[str], limits: policy.Bounds) -> Outcome:
        """Run it with no other program under way and none held."""
        async with self._alone, AsyncExitStack() as all_slots:
            for _ in range(self._options.slots):
                await all_slots.enter_async_context(self._slots)
            await self._free_memory()
            try:
                return await self._retry(tree, steps, limits)
            except KilledByKernel as error:
                raise KilledByKernel(
                    f"{error} although it ran alone: give this worker more memory, or lower the "
                    f"{limits.memory_mib} MiB that a program may use"
                ) from error

    async def _free_memory(self) -> None:
        dropped = self._snapshots.clear()
        release(dropped)
        with trio.move_on_after(EXIT_SECONDS):
            for node in dropped:
                await node.exited.wait()

    async def _retry(self, tree: str, steps: list[str], limits: policy.Bounds) -> Outcome:
        flavour = policy.flavour_of(steps)
        for attempt in range(ATTEMPTS):
            zygote = await self.start(flavour)
            try:
                return await self._runner.outcome(Program(zygote, flavour, tree, steps, limits))
            except (ForkRefused, ZygoteLost) as error:
                last_error: SandboxError = error
                await trio.sleep(RETRY_SECONDS * attempt)
        if isinstance(last_error, ForkRefusedByProgram):
            return obstructed(last_error, len(steps) - 2)
        raise last_error

    def end_tree(self, tree: str) -> None:
        """Drop all that is held for `tree`; a later program of it is replayed."""
        release(self._snapshots.end_tree(tree))

    @property
    def statistics(self) -> Statistics:
        """Counts since the start."""
        return self._runner.statistics

    @property
    def held(self) -> int:
        """How many interpreters are held."""
        return len(self._snapshots)

    @property
    def pids(self) -> set[int]:
        """All confined processes, guards included."""
        return {pid for zygote in self._zygotes.values() for pid in zygote.pids}

    @property
    def unknown_processes(self) -> set[int]:
        """Confined processes that are not known here; empty except for a moment at each fork."""
        return {pid for zygote in self._zygotes.values() for pid in zygote.unknown_processes()}

    @property
    def groups(self) -> set[int]:
        """The process groups of confined processes, which these cannot leave."""
        return {zygote.root.pid for zygote in self._zygotes.values()}

    @property
    def confinement(self) -> dict[policy.Flavour, Confinement]:
        """The protections in force, for each flavour that has been started."""
        return {flavour: zygote.confinement for flavour, zygote in self._zygotes.items()}

    async def start(self, flavour: policy.Flavour) -> Zygote:
        """The living fork server of a flavour, started or replaced if need be."""
        if living := self._living(flavour):
            return living
        async with self._starting[flavour]:
            return self._living(flavour) or await self._start(flavour)

    def _living(self, flavour: policy.Flavour) -> Zygote | None:
        zygote = self._zygotes.get(flavour)
        return zygote if zygote and not zygote.lost else None

    async def _start(self, flavour: policy.Flavour) -> Zygote:
        if dead := self._zygotes.get(flavour):
            self._drop_all_snapshots()
            await dead.close()
        options = self._options
        launched = await launch(flavour, frozenset(options.allow), options.python)
        zygote = self._zygotes[flavour] = Zygote(launched, options.greeting_seconds)
        self._nursery.start_soon(zygote.supervise)
        self.statistics.starts += 1
        return zygote

    def _drop_all_snapshots(self) -> None:
        release(self._snapshots.clear())

    async def close(self) -> None:
        """Kill all processes; returns when none is left."""
        self._drop_all_snapshots()
        for zygote in self._zygotes.values():
            await zygote.close()


@asynccontextmanager
async def open_sandbox(options: Options | None = None) -> AsyncIterator[Sandbox]:
    """A working sandbox; on leaving, none of its processes remains.

    Raises Unconfinable if this machine lacks a protection that `options.allow` does not waive.
    """
    options = options or Options()
    if unknown := {*options.allow} - {*policy.WAIVERS}:
        raise ValueError(f"no protection can be waived by the name {', '.join(sorted(unknown))}")
    _raise_descriptor_limit()
    try:
        async with trio.open_nursery() as nursery:
            sandbox = Sandbox(options, nursery)
            try:
                for flavour in options.prestart:
                    await sandbox.start(flavour)
                yield sandbox
            finally:
                nursery.cancel_scope.cancel()
                await sandbox.close()
    except BaseExceptionGroup as group:
        raise _single(group) from None


def _single(error: BaseException) -> BaseException:
    """The one error in nested groups, else the group. Callers need not know of the nursery."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(WANTED_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
