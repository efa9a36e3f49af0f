"""`python -m benchmarks.chaos [--kills N] [--seed S]`: kill -9 changes no tree.

A real run (three brokers, two workers of each kind, coordinator, trainer, SQLite) on the scripted
engine, first undisturbed, then while one random process after another gets SIGKILL. If a run is
over before all kills are done, the same one begins again in a new home. What is claimed: every
search finished, no node lost or doubled, no result taken twice, nobody left over, and each tree
equal to that of the undisturbed run.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random

from msgspec import structs

from benchmarks.chaos.injector import ChaosInjector, Ending, run
from benchmarks.chaos.tree_diff import Tree, read_trees, unfinished, unlike
from benchmarks.report import Report, open_report
from benchmarks.tiny_base import make_base
from rstar_async.config import (
    BootstrapConfig,
    EvaluationConfig,
    ExecutionConfig,
    ModelConfig,
    PolicyConfig,
    PPMConfig,
    ProblemsConfig,
    Recipe,
    RoundConfig,
    SearchConfig,
    WorkersConfig,
)

NAME = "chaos"
HELDOUT = 3
MEAN_PAUSE = 1.0
# Bounds on hanging, not goals: a life of the trainer alone takes ten seconds of CPU, and another
# twenty processes may want the same cores.
LIMIT_SECONDS, LIMIT_PER_KILL = 1200.0, 30.0


def main(arguments: list[str] | None = None) -> int:
    """Run calm, run in the storm, compare."""
    report = open_report(__doc__, arguments, _parser())
    options = report.options
    kills = options.kills or (12 if report.short else 200)
    folder = Path(tempfile.mkdtemp(prefix="rstar-chaos-", dir=options.folder))
    recipe = recipe_for(folder, options.seed, short=report.short)
    calm, calm_trees = _once(recipe, folder / "calm", ChaosInjector(0, 0, 1.0), 0.0, 0)
    _row(report, "calm", calm, calm_trees, {})
    tally = _Tally(calm_trees)
    storm = ChaosInjector(kills, options.seed, options.pause)
    while True:
        home = folder / f"storm-{tally.runs + 1}"
        before = dict(storm.killed)
        ending, trees = _once(recipe, home, storm, options.delay, storm.kills_left)
        killed = {name: n - before.get(name, 0) for name, n in storm.killed.items()}
        _row(report, home.name, ending, trees, killed)
        tally.add(ending, trees)
        if ending.exit_code != 0 or not storm.kills_left:
            break
    tally.claim(report, kills - storm.kills_left, kills)
    code = report.close()
    if code == 0 and options.folder is None:
        shutil.rmtree(folder)
    else:
        print(f"homes and logs: {folder}", file=sys.stderr)
    return code


class _Tally:
    """What went wrong, over all runs in the storm."""

    def __init__(self, calm: dict[str, Tree]) -> None:
        self._calm = calm
        self.runs = self._incomplete = self._unfinished = self._left_over = 0
        self._lost = self._twice = self._delivered_twice = self._unlike = 0
        self._crashed = self._buried = 0

    def add(self, ending: Ending, trees: dict[str, Tree]) -> None:
        self.runs += 1
        self._incomplete += ending.exit_code != 0
        self._left_over += ending.left_over
        self._crashed += ending.crashed
        self._buried += ending.buried
        self._unfinished += unfinished(trees.values())
        self._lost += sum(tree.lost for tree in trees.values())
        self._twice += sum(tree.twice for tree in trees.values())
        self._delivered_twice += sum(tree.delivered_twice for tree in trees.values())
        self._unlike += len(unlike(self._calm, trees))

    def claim(self, report: Report, killed: int, kills: int) -> None:
        report.claim("processes killed", killed, "", ">=", kills)
        report.claim("nodes in the undisturbed run", _nodes(self._calm), "", ">", 0)
        report.claim("runs not brought to their end", self._incomplete, "", "==", 0)
        report.claim("searches not finished", self._unfinished, "", "==", 0)
        report.claim("nodes lost", self._lost, "", "==", 0)
        report.claim("nodes stored twice", self._twice, "", "==", 0)
        report.claim("results taken twice by a tree", self._delivered_twice, "", "==", 0)
        report.claim("trees unlike the undisturbed run's", self._unlike, "", "==", 0)
        report.claim("processes left over", self._left_over, "", "==", 0)
        report.claim("processes that died of something else", self._crashed, "", "==", 0)
        report.claim("innocent jobs buried", self._buried, "", "==", 0)


def _once(
    recipe: Recipe, home: Path, storm: ChaosInjector, delay: float, kills: int
) -> tuple[Ending, dict[str, Tree]]:
    recipe = structs.replace(recipe, home=str(home))
    limit = LIMIT_SECONDS + LIMIT_PER_KILL * kills
    ending = run(recipe, storm, delay=delay, limit_seconds=limit)
    return ending, read_trees(recipe.database_url, recipe.name)


def _row(
    report: Report, name: str, ending: Ending, trees: dict[str, Tree], killed: dict[str, int]
) -> None:
    dead = " ".join(f"{who}:{count}" for who, count in sorted(killed.items()) if count)
    report.row(
        run=name,
        exit_code=ending.exit_code,
        seconds=ending.seconds,
        searches=len(trees),
        nodes=_nodes(trees),
        killed=sum(killed.values()),
        victims=dead,
    )


def _nodes(trees: dict[str, Tree]) -> int:
    return sum(len(tree.nodes) for tree in trees.values())


def recipe_for(folder: Path, seed: int, *, short: bool) -> Recipe:
    """Small trees and hardly any training; the longer one is guided by the PPM in round 2."""
    train = 8 if short else 24
    make_base(folder / "base", seed)
    return Recipe(
        name=NAME,
        seed=seed,
        model=ModelConfig(base=str(folder / "base")),
        bootstrap=BootstrapConfig(kind="checkpoint"),
        problems=ProblemsConfig(
            source=str(_problems(folder, train + HELDOUT, seed)), heldout=HELDOUT
        ),
        search=SearchConfig(rollouts=6, candidates=4, max_tokens=64, in_flight=6),
        # A loaded machine must not decide which programs time out.
        execution=ExecutionConfig(wall_seconds=120.0, cpu_seconds=60.0),
        rounds=(RoundConfig(),) if short else (RoundConfig(), RoundConfig(guidance="ppm")),
        policy=PolicyConfig(epochs=1.0, batch_size=8, learning_rate=1e-4),
        ppm=PPMConfig(learning_rate=1e-4, min_steps=0),
        evaluation=EvaluationConfig(problems=HELDOUT, samples=2, rollouts=3, candidates=3),
        workers=WorkersConfig(
            engine="scripted", inference=2, reward=2, executor=2, slots=1, rows=32
        ),
    )


def _problems(folder: Path, count: int, seed: int) -> Path:
    """Sums for the script to get right or wrong."""
    random = Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        numbers = random.sample(range(2, 90), random.randint(2, 4))
        rows[f"What is {' + '.join(map(str, numbers))}?"] = str(sum(numbers))
    file = folder / "problems.jsonl"
    lines = [json.dumps({"question": q, "answer": a}) for q, a in rows.items()]
    file.write_text("\n".join(lines) + "\n")
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--kills", type=int, default=0, help="default: 200, with --short 12")
    parser.add_argument("--seed", type=int, default=1, help="of the run, and of the storm's dice")
    parser.add_argument("--pause", type=float, default=MEAN_PAUSE, help="mean seconds to a kill")
    parser.add_argument("--delay", type=float, default=0.4, help="of the models, in the storm")
    parser.add_argument("--folder", type=Path, help="keep homes and logs here, whatever happens")
    return parser


if __name__ == "__main__":
    sys.exit(main())
