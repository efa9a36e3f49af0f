"""Runs one program on a living zygote: find the longest held prefix, replay the rest, extend it.

Every method leaves either a held node or no node; a cancel kills what was begun.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import trio
from msgspec.structs import replace

from workers.sandbox import channel, policy
from workers.sandbox.errors import ForkRefused, Obstructed, SandboxError, ZygoteLost
from workers.sandbox.execution import Outcome, Request, execute
from workers.sandbox.interpreter import Interpreter
from workers.sandbox.snapshots import Key, Snapshots, chain
from workers.sandbox.zygote import Zygote

FORK_MIB: dict[policy.Flavour, float] = {
    "plain": 1.5,
    "sympy": 4.0,
    "numpy": 5.0,
}  # of pages that a fork copies
ALREADY_ENDED = Outcome(
    "exception", error_type="SystemExit", error_message="the program had ended itself"
)


@dataclass
class Statistics:
    """Counts since the start."""

    runs: int = 0
    reused_steps: int = 0
    replayed_steps: int = 0
    starts: int = 0
    killed: int = 0  # by the kernel, and run again alone


@dataclass(frozen=True)
class Program:
    """A program to run on one zygote."""

    zygote: Zygote
    flavour: policy.Flavour
    tree: str
    steps: Sequence[str]
    limits: policy.Bounds

    def keys(self) -> list[Key]:
        """The snapshot key of each of its prefixes, the empty one first."""
        return chain((self.flavour, str(self.limits.memory_mib), self.tree), self.steps)

    def request(self, first: int, end: int) -> Request:
        """The request for the steps from `first` up to `end`."""
        return Request(self.steps[first:end], first, self.limits)


class ProgramRunner:
    """Extends held nodes."""

    def __init__(self, snapshots: Snapshots[Interpreter]) -> None:
        self._snapshots = snapshots
        self._building: dict[Key, trio.Event] = {}
        self.statistics = Statistics()

    async def outcome(self, program: Program) -> Outcome:
        """Run it. Raises ForkRefused or ZygoteLost, after which it should be tried again; and
        KilledByKernel, after which it should be run with nothing beside it."""
        last = len(program.steps) - 1
        if not program.zygote.keeps_snapshots:
            outcome, _ = await self._extend(
                program, program.zygote.root, program.request(0, last + 1)
            )
            return outcome
        keys = program.keys()
        parent, reused, failure = await self._parent_node(program, keys, last)
        if parent is None:
            return replace(failure, stdout="", reused_steps=reused)
        outcome, node = await self._extend(program, parent, program.request(last, last + 1))
        if node is not None:
            self._hold(program, keys[last + 1], node)
        self.statistics.reused_steps += reused
        return replace(outcome, reused_steps=reused)

    async def _parent_node(
        self, program: Program, keys: list[Key], depth: int
    ) -> tuple[Interpreter | None, int, Outcome]:
        """The node that has run `depth` steps, how many were not run again, and why there is none.

        Two runs that want the same missing node make it once. No checkpoint after the look-up, so
        the node is still held when the caller pins it.
        """
        while (building := self._building.get(keys[depth])) is not None:
            await building.wait()
        reached, node = self._longest(program, keys, depth)
        if reached == depth:
            return node, depth, ALREADY_ENDED
        self._building[keys[depth]] = trio.Event()
        try:
            self.statistics.replayed_steps += depth - reached
            outcome, built = await self._extend(program, node, program.request(reached, depth))
            if built is not None:
                self._hold(program, keys[depth], built)
        finally:
            self._building.pop(keys[depth]).set()
        failure = outcome if outcome.status != "ok" else replace(ALREADY_ENDED, step=depth - 1)
        return built, reached, failure

    def _longest(self, program: Program, keys: list[Key], depth: int) -> tuple[int, Interpreter]:
        for reached in range(depth, 0, -1):
            if node := self._snapshots.get(keys[reached]):
                return reached, node
        return 0, program.zygote.root

    async def _extend(
        self, program: Program, parent: Interpreter, request: Request
    ) -> tuple[Outcome, Interpreter | None]:
        """Run `request` in a child of `parent`; the child, stopped, if it can be continued."""
        output = channel.Output(request.limits.output_bytes)
        node, kept = None, False
        try:
            node = await self._fork(program.zygote, parent, request, output)
            outcome = await execute(node, output, request)
            if program.zygote.lost and outcome.status in ("died", "memory"):
                raise ZygoteLost("the fork server died under a program")
            kept = outcome.status == "ok" and not outcome.ended and program.zygote.keeps_snapshots
            return outcome, node if kept else None
        except Obstructed as error:
            return obstructed(error, request.first - 1), None
        finally:
            output.close()
            if node is not None:
                node.pause() if kept else node.release()

    async def _fork(
        self, zygote: Zygote, parent: Interpreter, request: Request, output: channel.Output
    ) -> Interpreter:
        seconds = min(request.wall_seconds, request.cpu_seconds)
        try:
            return await zygote.fork(parent, output, seconds)
        except (ForkRefused, Obstructed) as error:
            self._snapshots.forget(parent)
            release([] if parent.trusted else [parent])
            release(self._snapshots.halve() if isinstance(error, ForkRefused) else [])
            raise

    def _hold(self, program: Program, key: Key, node: Interpreter) -> None:
        own_mib = max(0.0, node.own_mib - program.zygote.base_mib)
        mib = FORK_MIB[program.flavour] + own_mib
        release(self._snapshots.hold(key, node, program.tree, mib))


def obstructed(error: SandboxError, step: int) -> Outcome:
    """What a program gets whose state after `step` could not be continued."""
    return Outcome("died", error_message=str(error), step=step)


def release(nodes: Iterable[Interpreter]) -> None:
    """Kill nodes that are no longer in the cache."""
    for node in nodes:
        node.release()
