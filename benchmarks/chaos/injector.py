"""A real run, and a storm that kills its processes while it goes on.

Everything is as in `rstar run` but for three things: the supervisor's patience has no end, the
coordinator's table goes to its log, and the scripted engines pause before they answer.
"""

import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import msgspec
import trio

from rstar_async.config import Recipe
from rstar_async.launch.backoff import Backoff
from rstar_async.launch.home import prepare_home
from rstar_async.launch.linux import children
from rstar_async.launch.processes import Places, ProcessSpec, processes
from rstar_async.launch.sockets import make_socket_folder, remove_socket_folder
from rstar_async.launch.supervisor import run_processes

# No life is too short, so no death is ever the last.
ENDLESS = Backoff(young_seconds=0.0, first_wait=0.1)
EARLY = 8
MARK = "RSTAR_CHAOS_HOME"


class ChaosInjector:
    """Kills one living process after another, whichever the dice name, until `kills` are dead.

    At most `EARLY` of a run's kills, or a quarter of those left, fall before its first search: the
    trainer's imports take so long that most would otherwise hit processes that wait for it.
    """

    def __init__(self, kills: int, seed: int, mean_pause: float) -> None:
        self.kills_left = kills
        self.killed: Counter[str] = Counter()
        self._random = Random(seed)
        self._mean_pause = mean_pause

    async def rage(self, specs: Sequence[ProcessSpec], home: Path) -> None:
        """Wait a random time, kill with SIGKILL; again and again."""
        early = min(EARLY, self.kills_left // 4)
        while self.kills_left:
            await trio.sleep(self._random.expovariate(1 / self._mean_pause))
            if early > 0 or is_searching(home):
                early -= 1
                self._strike(living(specs))

    def _strike(self, victims: dict[str, int]) -> None:
        if victims:
            name = self._random.choice(sorted(victims))
            os.kill(victims[name], signal.SIGKILL)
            self.killed[name] += 1
            self.kills_left -= 1


def is_searching(home: Path) -> bool:
    """True once the run has stored a node."""
    try:
        with closing(sqlite3.connect(f"file:{home}/rstar.db?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT 1 FROM nodes LIMIT 1").fetchone())
    except sqlite3.OperationalError:  # not there yet, or without tables
        return False


def living(specs: Sequence[ProcessSpec]) -> dict[str, int]:
    """Process ids by name. They stay valid until the next checkpoint: nobody reaps meanwhile."""
    commands = {_words(child.pid): child.pid for child in children(os.getpid())}
    return {spec.name: commands[spec.argv] for spec in specs if spec.argv in commands}


class Ending(msgspec.Struct, frozen=True):
    """How a run ended: `exit_code` is None if it was not over in time.

    `crashed` processes ended neither well nor by SIGKILL; `buried` jobs were blamed for three
    deaths that the storm had caused.
    """

    exit_code: int | None
    seconds: float
    left_over: int
    crashed: int
    buried: int


def run(recipe: Recipe, storm: ChaosInjector, *, delay: float, limit_seconds: float) -> Ending:
    """Bring the recipe to its end in a new home, through the storm. In the main thread only."""
    with laid_out(recipe, delay) as (specs, places):
        return trio.run(_weather, specs, places, storm, limit_seconds)


@contextmanager
def laid_out(recipe: Recipe, delay: float) -> Iterator[tuple[list[ProcessSpec], Places]]:
    """What to start for a recipe, and the folders for it, for as long as the block lasts."""
    recipe_file = prepare_home(recipe)
    sockets = make_socket_folder()
    try:
        places = Places(recipe.home_folder, recipe.models_folder, sockets, recipe_file)
        yield [_prepared(spec, places, delay) for spec in processes(recipe, places)], places
    finally:
        remove_socket_folder(sockets)


async def _weather(
    specs: list[ProcessSpec], places: Places, storm: ChaosInjector, limit_seconds: float
) -> Ending:
    exit_code = None
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(storm.rage, specs, places.home)
        with trio.move_on_after(limit_seconds):
            exit_code = await run_processes(specs, places.logs, report=quiet, backoff=ENDLESS)
        nursery.cancel_scope.cancel()
    return Ending(
        exit_code=exit_code,
        seconds=trio.current_time() - started,
        left_over=len(left_over(places.home)),
        crashed=_crashes(places.logs / "supervisor.log"),
        buried=sum(1 for _ in places.home.glob("letters/*/*")),
    )


def left_over(home: Path) -> list[int]:
    """Processes of the run in `home` that are still there, and children of ours."""
    mark = f"{MARK}={home}".encode()
    marked = [int(f.name) for f in Path("/proc").glob("[0-9]*") if mark in _environment(f)]
    return sorted({*marked, *(child.pid for child in children(os.getpid()))})


def _crashes(journal: Path) -> int:
    codes = re.findall(r" ended code=(-?\d+)$", journal.read_text(), re.MULTILINE)
    return sum(int(code) not in (0, -signal.SIGKILL) for code in codes)


def _prepared(spec: ProcessSpec, places: Places, delay: float) -> ProcessSpec:
    pause = ("--delay", str(delay)) if "scripted" in spec.argv else ()
    return msgspec.structs.replace(
        spec,
        argv=(*spec.argv, *pause),
        env={**spec.env, MARK: str(places.home)},
        on_terminal=False,
    )


def _words(pid: int) -> tuple[str, ...]:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in line.split(b"\0")[:-1])


def _environment(folder: Path) -> bytes:
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


def quiet(_: str) -> None:
    """Say nothing: the logs have it."""
