"""A real run, and an injector that kills its processes while it goes on.

Everything is as in `rstar run` but for three things: the supervisor never gives up, the
coordinator's table goes to its log, and the scripted engines pause before they answer.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec
import trio

from benchmarks.chaos.pauses import CoordinatorPauses, is_one_of_several
from benchmarks.chaos.running import is_searching, running
from rstar_async.config import Recipe
from rstar_async.coordinator.__main__ import LOST_LEASE, TOLD_TO_STOP
from rstar_async.launch.backoff import Backoff
from rstar_async.launch.home import prepare_home
from rstar_async.launch.linux import children
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, ProcessSpec, processes
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder
from rstar_async.launch.supervisor import run_processes

# No life counts as too short, so no process is ever given up.
ENDLESS = Backoff(young_seconds=0.0, first_wait=0.1)
EARLY_KILLS = 8
MARK = "RSTAR_CHAOS_HOME"
# The second and third only of several coordinators: the first to end stops the others.
EXPECTED = (0, TOLD_TO_STOP, LOST_LEASE, -signal.SIGKILL)


class Injector(Protocol):
    """Disturbs a run while it goes on."""

    async def run(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None: ...


class ChaosInjector:
    """Kills one running process after another, chosen at random, until `kills` are dead.

    At most `EARLY_KILLS` of a run's kills, or a quarter of those left, fall before its first
    search: the trainer's imports take so long that most would hit processes waiting for it.
    Of several coordinators, every third kill hits one, and meanwhile they are paused one by one; a
    paused one is not killed, so that it wakes up.
    """

    def __init__(self, kills: int, seed: int, mean_pause: float) -> None:
        self.kills_left = kills
        self.killed: Counter[str] = Counter()
        self.pauses = CoordinatorPauses(seed)
        self._random = Random(seed)
        self._mean_pause = mean_pause

    async def run(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None:
        """Wait a random time and kill one process with SIGKILL, until no kills are left."""
        async with trio.open_nursery() as nursery:
            if self.kills_left:
                nursery.start_soon(self.pauses.run, specs, recipe)
            await self._kill(specs, recipe)
            nursery.cancel_scope.cancel()

    async def _kill(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None:
        early = min(EARLY_KILLS, self.kills_left // 4)
        while self.kills_left:
            await trio.sleep(self._random.expovariate(1 / self._mean_pause))
            if early > 0 or is_searching(recipe):
                early -= 1
                self._kill_one(self._victims(specs))

    def _victims(self, specs: Sequence[ProcessSpec]) -> dict[str, int]:
        awake = {n: pid for n, pid in running(specs).items() if pid != self.pauses.paused}
        several = {name: pid for name, pid in awake.items() if is_one_of_several(name)}
        return several if several and self.kills_left % 3 == 0 else awake

    def _kill_one(self, victims: dict[str, int]) -> None:
        if victims:
            name = self._random.choice(sorted(victims))
            os.kill(victims[name], signal.SIGKILL)
            self.killed[name] += 1
            self.kills_left -= 1


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: `exit_code` is None if it was not over in time.

    `crashed` processes ended neither well nor by SIGKILL; `dead_letters` jobs were blamed for three
    deaths that the injector had caused. Of several coordinators, `fenced_off` found that others had
    removed them; `taken_over` problems were claimed by those that were removed.
    """

    exit_code: int | None
    seconds: float
    left_over: int
    crashed: int
    dead_letters: int
    fenced_off: int
    taken_over: int


def run(recipe: Recipe, injector: Injector, *, delay: float, limit_seconds: float) -> Outcome:
    """Bring the recipe to its end in a new home, disturbed. In the main thread only."""
    with prepared_run(recipe, delay) as (specs, places):
        return trio.run(_run_disturbed, specs, places, recipe, injector, limit_seconds)


@contextmanager
def prepared_run(recipe: Recipe, delay: float) -> Iterator[tuple[list[ProcessSpec], Places]]:
    """Yield what to start for a recipe and its folders, which exist while the block lasts."""
    recipe_file = prepare_home(recipe)
    sockets = make_socket_folder()
    try:
        places = Places(
            recipe.home_folder, recipe.models_folder, LocalSockets(sockets), recipe_file
        )
        yield [_prepared(spec, places, delay) for spec in processes(recipe, places)], places
    finally:
        remove_socket_folder(sockets)


async def _run_disturbed(
    specs: list[ProcessSpec],
    places: Places,
    recipe: Recipe,
    injector: Injector,
    limit_seconds: float,
) -> Outcome:
    exit_code = None
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(injector.run, specs, recipe)
        with trio.move_on_after(limit_seconds):
            exit_code = await run_processes(specs, places.logs, report=quiet, backoff=ENDLESS)
        nursery.cancel_scope.cancel()
    codes = _exit_codes(places.logs / "supervisor.log")
    return Outcome(
        exit_code=exit_code,
        seconds=trio.current_time() - started,
        left_over=len(left_over(places.home)),
        crashed=len([code for code in codes if code not in EXPECTED]),
        dead_letters=sum(1 for _ in places.home.glob("letters/*/*")),
        fenced_off=codes.count(LOST_LEASE),
        taken_over=_problems_taken_over(places.logs),
    )


def left_over(home: Path) -> list[int]:
    """Processes of the run in `home` that still exist, and children of ours."""
    mark = f"{MARK}={home}".encode()
    marked = [int(f.name) for f in Path("/proc").glob("[0-9]*") if mark in _environment(f)]
    return sorted({*marked, *(child.pid for child in children(os.getpid()))})


def _exit_codes(journal: Path) -> list[int]:
    found = re.findall(r" ended code=(-?\d+)$", journal.read_text(), re.MULTILINE)
    return [int(code) for code in found]


def _problems_taken_over(logs: Path) -> int:
    text = "".join(log.read_text() for log in logs.glob("coordinator-*.log"))
    return sum(map(int, re.findall(r"coordinator removed: .* problems=(\d+)", text)))


def _prepared(spec: ProcessSpec, places: Places, delay: float) -> ProcessSpec:
    pause = ("--delay", str(delay)) if "scripted" in spec.argv else ()
    return msgspec.structs.replace(
        spec,
        argv=(*spec.argv, *pause),
        env={**spec.env, MARK: str(places.home)},
        on_terminal=False,
    )


def _environment(folder: Path) -> bytes:
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


def quiet(_: str) -> None:
    """Report nothing: the logs have it."""
