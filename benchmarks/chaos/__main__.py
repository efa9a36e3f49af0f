"""`python -m benchmarks.chaos [--kills N | --rogue] [--seed S]`: neither kill -9 nor workers that
answer wrongly change a tree.

A real run (three brokers, two workers of each kind, coordinator, trainer, SQLite) on the scripted
engine, first undisturbed, then while one random process after another gets SIGKILL. If a run is
over before all kills are done, the same one begins again in a new home. The claims: every search
finishes, no node is lost or stored twice, no result is taken twice, no process is left over, and
each tree equals that of the undisturbed run.

With `--coordinators N` so many of them share the run on the PostgreSQL server that `--postgres` or
RSTAR_TEST_POSTGRES names, each home in a temporary schema. They are killed more often than other
processes, and paused for twice their lease, so that others take over and they wake up too late. The
undisturbed run has one coordinator, on SQLite.

With `--rogue` nothing is killed. Instead a worker of every kind in `rogues` works beside the honest
ones from the first second on. The claims: the run ends, its trees and figures are those of the
undisturbed one, and no process has died.
"""

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from msgspec import structs

from benchmarks.chaos.injector import ChaosInjector, Outcome, run
from benchmarks.chaos.pauses import is_one_of_several
from benchmarks.chaos.recipe import recipe_for
from benchmarks.chaos.rogue_run import measure_rogues
from benchmarks.chaos.tree_diff import Tree, different, read_trees, unfinished
from benchmarks.own_schema import own_schema
from benchmarks.report import Report, open_report
from rstar_async.config import Recipe
from rstar_async.errors import BadInput

MEAN_PAUSE = 1.0
# Bounds on hanging, not goals: a life of the trainer alone takes ten seconds of CPU, and another
# twenty processes may want the same cores.
LIMIT_SECONDS, LIMIT_PER_KILL = 1200.0, 30.0
# Longer than a loaded machine lets a coordinator wait for its turn, mostly.
LEASE_SECONDS = 4.0


def main(arguments: list[str] | None = None) -> int:
    """Run undisturbed, run with kills, compare."""
    report = open_report(__doc__, arguments, _parser())
    options = report.options
    if options.rogue:
        return measure_rogues(report)
    kills = options.kills or (12 if report.short else 200)
    folder = Path(tempfile.mkdtemp(prefix="rstar-chaos-", dir=options.folder))
    recipe = recipe_for(folder, options.seed, short=report.short)
    no_kills = ChaosInjector(0, 0, 1.0)
    undisturbed, reference = _once(recipe, folder / "undisturbed", no_kills, 0.0, 0)
    _row(report, "undisturbed", undisturbed, reference, {})
    recipe = _shared_by(recipe, options.coordinators)
    tally = _Tally(reference)
    injector = ChaosInjector(kills, options.seed, options.pause)
    while True:
        home = folder / f"killed-{tally.runs + 1}"
        before = dict(injector.killed)
        with _database(options) as database:
            own = structs.replace(recipe, database=database)
            outcome, trees = _once(own, home, injector, options.delay, injector.kills_left)
        killed = {name: n - before.get(name, 0) for name, n in injector.killed.items()}
        _row(report, home.name, outcome, trees, killed)
        tally.add(outcome, trees)
        if outcome.exit_code != 0 or not injector.kills_left:
            break
    tally.claim(report, kills - injector.kills_left, kills)
    if options.coordinators > 1:
        of_them = sum(n for name, n in injector.killed.items() if is_one_of_several(name))
        tally.claim_takeovers(report, of_them, injector.pauses.count)
    code = report.close()
    if code == 0 and options.folder is None:
        shutil.rmtree(folder)
    else:
        print(f"homes and logs: {folder}", file=sys.stderr)
    return code


class _Tally:
    """What went wrong, over all runs with kills."""

    def __init__(self, reference: dict[str, Tree]) -> None:
        self._reference = reference
        self.runs = self._incomplete = self._unfinished = self._left_over = 0
        self._lost = self._twice = self._delivered_twice = self._different = 0
        self._crashed = self._dead_letters = self._fenced_off = self._taken_over = 0

    def add(self, outcome: Outcome, trees: dict[str, Tree]) -> None:
        self.runs += 1
        self._incomplete += outcome.exit_code != 0
        self._left_over += outcome.left_over
        self._crashed += outcome.crashed
        self._dead_letters += outcome.dead_letters
        self._fenced_off += outcome.fenced_off
        self._taken_over += outcome.taken_over
        self._unfinished += unfinished(trees.values())
        self._lost += sum(tree.lost for tree in trees.values())
        self._twice += sum(tree.twice for tree in trees.values())
        self._delivered_twice += sum(tree.delivered_twice for tree in trees.values())
        self._different += len(different(self._reference, trees))

    def claim(self, report: Report, killed: int, kills: int) -> None:
        report.claim("processes killed", killed, "", ">=", kills)
        report.claim("nodes in the undisturbed run", _nodes(self._reference), "", ">", 0)
        report.claim("runs not brought to their end", self._incomplete, "", "==", 0)
        report.claim("searches not finished", self._unfinished, "", "==", 0)
        report.claim("nodes lost", self._lost, "", "==", 0)
        report.claim("nodes stored twice", self._twice, "", "==", 0)
        report.claim("results taken twice by a tree", self._delivered_twice, "", "==", 0)
        report.claim("trees unlike the undisturbed run's", self._different, "", "==", 0)
        report.claim("processes left over", self._left_over, "", "==", 0)
        report.claim("processes that died of something else", self._crashed, "", "==", 0)
        report.claim("jobs made dead letters", self._dead_letters, "", "==", 0)

    def claim_takeovers(self, report: Report, killed: int, paused: int) -> None:
        report.claim("coordinators killed", killed, "", ">", 0)
        report.claim("coordinators paused", paused, "", ">", 0)
        report.claim("problems taken over from silent coordinators", self._taken_over, "", ">", 0)
        report.claim("coordinators that found it out and stopped", self._fenced_off, "", ">", 0)


def _shared_by(recipe: Recipe, coordinators: int) -> Recipe:
    workers = structs.replace(
        recipe.workers, coordinators=coordinators, lease_seconds=LEASE_SECONDS
    )
    return structs.replace(recipe, workers=workers)


def _database(options: argparse.Namespace) -> AbstractContextManager[str]:
    """Where one run has its store: "" means SQLite in its home."""
    if options.coordinators == 1:
        return nullcontext("")
    if not options.postgres:
        raise BadInput("several coordinators need a server: --postgres postgresql://…")
    return own_schema(options.postgres)


def _once(
    recipe: Recipe, home: Path, injector: ChaosInjector, delay: float, kills: int
) -> tuple[Outcome, dict[str, Tree]]:
    recipe = structs.replace(recipe, home=str(home))
    limit = LIMIT_SECONDS + LIMIT_PER_KILL * kills
    outcome = run(recipe, injector, delay=delay, limit_seconds=limit)
    return outcome, read_trees(recipe.database_url, recipe.name)


def _row(
    report: Report, name: str, outcome: Outcome, trees: dict[str, Tree], killed: dict[str, int]
) -> None:
    victims = " ".join(f"{who}:{count}" for who, count in sorted(killed.items()) if count)
    report.row(
        run=name,
        exit_code=outcome.exit_code,
        seconds=outcome.seconds,
        searches=len(trees),
        nodes=_nodes(trees),
        killed=sum(killed.values()),
        victims=victims,
    )


def _nodes(trees: dict[str, Tree]) -> int:
    return sum(len(tree.nodes) for tree in trees.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--kills", type=int, default=0, help="default: 200, with --short 12")
    parser.add_argument("--rogue", action="store_true", help="workers that answer wrongly instead")
    parser.add_argument("--seed", type=int, default=1, help="of the run and of the kills")
    parser.add_argument("--pause", type=float, default=MEAN_PAUSE, help="mean seconds to a kill")
    parser.add_argument("--delay", type=float, default=0.4, help="of the models, with kills")
    parser.add_argument("--coordinators", type=int, default=1, help="that share the run")
    parser.add_argument(
        "--postgres",
        default=os.environ.get("RSTAR_TEST_POSTGRES"),
        help="URL of a database that may be written to, for several coordinators",
    )
    parser.add_argument("--folder", type=Path, help="keep homes and logs here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
