"""A run beside rogue workers, compared with an undisturbed one."""

import shutil
import sys
import tempfile
from pathlib import Path

from msgspec import structs

from benchmarks.chaos.injector import ChaosInjector, Injector, Outcome, run
from benchmarks.chaos.recipe import recipe_for
from benchmarks.chaos.rogue_injector import RogueInjector
from benchmarks.chaos.rogues import ROGUES
from benchmarks.chaos.tree_diff import Tree, different, read_figures, read_trees, unfinished
from benchmarks.report import Report
from rstar_async.config import Recipe, RoundConfig

KINDS = 20
LIMIT_SECONDS = 1800.0
DELAY = 0.1  # of the honest models, so that the rogues are asked first


def measure_rogues(report: Report) -> int:
    """Run undisturbed, run beside rogues, compare; the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="rstar-rogue-", dir=report.options.folder))
    recipe = _recipe(folder, report.options.seed, short=report.short)
    calm = _once(recipe, folder / "undisturbed", ChaosInjector(0, 0, 1.0), delay=0.0)
    rogues = RogueInjector()
    disturbed = _once(recipe, folder / "rogues", rogues, delay=DELAY)
    for name, (outcome, trees, _) in {"undisturbed": calm, "rogues": disturbed}.items():
        report.row(
            run=name,
            exit_code=outcome.exit_code,
            seconds=outcome.seconds,
            searches=len(trees),
            nodes=sum(len(tree.nodes) for tree in trees.values()),
        )
    for name, asked in rogues.asked.items():
        report.row(run="rogues", rogue=name, pool=ROGUES[name].pool, jobs=asked)
    _claim(report, calm, disturbed, sum(asked > 0 for asked in rogues.asked.values()))
    code = report.close()
    if code == 0 and report.options.folder is None:
        shutil.rmtree(folder)
    else:
        print(f"homes and logs: {folder}", file=sys.stderr)
    return code


Measured = tuple[Outcome, dict[str, Tree], dict[tuple[int, str], tuple[float, int]]]


def _recipe(folder: Path, seed: int, *, short: bool) -> Recipe:
    """Two rounds, the second guided by the PPM, so that every pool has work."""
    recipe = recipe_for(folder, seed, short=short)
    return structs.replace(
        recipe,
        rounds=(RoundConfig(), RoundConfig(guidance="ppm")),
        ppm=structs.replace(recipe.ppm, trust="always"),
    )


def _once(recipe: Recipe, home: Path, injector: Injector, *, delay: float) -> Measured:
    recipe = structs.replace(recipe, home=str(home))
    outcome = run(recipe, injector, delay=delay, limit_seconds=LIMIT_SECONDS)
    trees = read_trees(recipe.database_url, recipe.name)
    return outcome, trees, read_figures(recipe.database_url, recipe.name)


def _claim(report: Report, calm: Measured, disturbed: Measured, kinds: int) -> None:
    outcome, trees, figures = disturbed
    report.claim("kinds of rogues that were asked", kinds, "", ">=", KINDS)
    report.claim("runs brought to their end", outcome.exit_code == 0, "", "==", 1)
    report.claim("nodes in the undisturbed run", _nodes(calm[1]), "", ">", 0)
    report.claim("searches not finished", unfinished(trees.values()), "", "==", 0)
    report.claim("trees unlike the undisturbed run's", len(different(calm[1], trees)), "", "==", 0)
    report.claim("figures in the undisturbed run", len(calm[2]), "", ">", 0)
    unlike = sum(calm[2].get(key) != figures.get(key) for key in calm[2].keys() | figures.keys())
    report.claim("figures unlike the undisturbed run's", unlike, "", "==", 0)
    report.claim("deaths of processes", outcome.crashed, "", "==", 0)
    report.claim("processes left over", outcome.left_over, "", "==", 0)
    report.claim("jobs made dead letters", outcome.dead_letters, "", "==", 0)


def _nodes(trees: dict[str, Tree]) -> int:
    return sum(len(tree.nodes) for tree in trees.values())
