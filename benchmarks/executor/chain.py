"""A growing program: each step in the held state, against replaying everything from the start.

Beside it the bound: the same generations of forks with nothing around them. A held interpreter
costs CPU at its end too; that is part of the step that made it.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import trio

from benchmarks.cpu_meter import Meter
from benchmarks.executor.baselines import BARE_FORK, BareChain
from benchmarks.executor.jobs import chain
from workers.sandbox import Limits, Sandbox

SIBLINGS = 8
LIMITS = Limits(wall_seconds=60.0, cpu_seconds=60.0)


@dataclass
class Chain:
    """CPU and wall time of each way: a "job" is one step, with all that it takes to get there."""

    extended: Meter = field(default_factory=Meter)
    bare: Meter = field(default_factory=Meter)
    replayed: Meter = field(default_factory=Meter)
    leaf_extended: Meter = field(default_factory=Meter)
    leaf_replayed: Meter = field(default_factory=Meter)

    @property
    def whole(self) -> float:
        """How many times cheaper all sixteen extensions are than sixteen replays."""
        return self.replayed.cpu_ms / self.extended.cpu_ms

    @property
    def limit(self) -> float:
        """The same for forks without isolation: what `whole` could be at most."""
        return self.replayed.cpu_ms / self.bare.cpu_ms

    @property
    def leaf(self) -> float:
        """The same for one more step at depth sixteen."""
        return self.leaf_replayed.cpu_ms / self.leaf_extended.cpu_ms

    def rows(self) -> Iterator[tuple[str, str, Meter]]:
        """Job, executor and figures of each way."""
        yield "16-step chain, a step extended", "ours", self.extended
        yield "16-step chain, a step extended", BARE_FORK, self.bare
        yield "16-step chain, a step replayed", "ours", self.replayed
        yield "depth 16 + 1, extended", "ours", self.leaf_extended
        yield "depth 16 + 1, replayed", "ours", self.leaf_replayed


async def measure_chain(sandbox: Sandbox, rounds: int) -> Chain:
    """In turns, with new numbers each time; the first round is not counted."""
    with closing(BareChain()) as bare:
        await _round(sandbox, bare, chain(0), Chain())
        measured = Chain()
        for number in range(1, rounds + 1):
            await _round(sandbox, bare, chain(number), measured)
    return measured


async def _round(sandbox: Sandbox, bare: BareChain, steps: list[str], measured: Chain) -> None:
    prefixes = [steps[:depth] for depth in range(1, len(steps) + 1)]
    leaves = [[*steps, f"print(k + {number})"] for number in range(SIBLINGS)]
    extended = await _all(sandbox, prefixes, measured.extended)
    leaf_extended = await _all(sandbox, leaves, measured.leaf_extended)
    await _drop_all(
        sandbox, {measured.extended: len(prefixes), measured.leaf_extended: len(leaves)}
    )
    printed = await _generations(bare, steps, measured.bare)
    replayed = await _all(sandbox, map(_joined, prefixes), measured.replayed, forget=True)
    few = [_joined(leaf) for leaf in leaves[:2]]
    leaf_replayed = await _all(sandbox, few, measured.leaf_replayed, forget=True)
    _compare([*extended, *leaf_extended[:2]], [*replayed, *leaf_replayed], len(steps))
    if printed != replayed[-1]:
        raise AssertionError(f"bare forks: {printed!r}, replayed: {replayed[-1]!r}")


async def _generations(bare: BareChain, steps: list[str], meter: Meter) -> str:
    """All generations at once; the wall time is the mean of theirs."""
    with meter:
        started = time.perf_counter()
        printed = await bare.run(steps)
        meter.walls += [(time.perf_counter() - started) / len(steps)] * len(steps)
        meter.jobs += len(steps)
    return printed


async def _drop_all(sandbox: Sandbox, made: dict[Meter, int]) -> None:
    """Release all held nodes, and charge the CPU time of that to the meters that made them."""
    held, alive, releases = sum(made.values()), len(sandbox.pids), Meter()
    with releases:
        sandbox.end_tree("chain")
        while len(sandbox.pids) > alive - held:  # noqa: ASYNC110
            await trio.sleep(0.002)
    for meter, nodes in made.items():
        meter.cpu_seconds += releases.cpu_seconds * nodes / held


def _compare(extended: list[str], replayed: list[str], depth: int) -> None:
    """Check equal output; a replay also prints everything before."""
    before = ["", *replayed[: depth - 1], replayed[depth - 1], replayed[depth - 1]]
    for one, other, already in zip(extended, replayed, before, strict=True):
        if already + one != other:
            raise AssertionError(f"extended: {one!r}, replayed: {other.removeprefix(already)!r}")


def _joined(steps: list[str]) -> list[str]:
    """The whole program as a single step: the cheapest way to replay it."""
    return ["\n".join(steps)]


async def _all(
    sandbox: Sandbox, programs: Iterable[list[str]], meter: Meter, *, forget: bool = False
) -> list[str]:
    """What each prints. `forget`: drop the held states after each."""
    printed = []
    with meter:
        for program in programs:
            meter.begin()
            outcome = await sandbox.run("chain", program, LIMITS)
            if forget:
                sandbox.end_tree("chain")
            meter.end()
            if outcome.status != "ok":
                raise AssertionError(f"a step of the chain ended by {outcome}")
            printed.append(outcome.stdout)
    return printed
