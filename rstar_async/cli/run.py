"""`rstar run`: all rounds of a recipe, on this machine or as a job of Slurm."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.recipe_arguments import add_recipe_arguments, names_anything, recipe_to_start
from rstar_async.config import Recipe
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.reports.lesson import Lesson

TAKES_OVERRIDES = True
BAD_INPUT = 2
LEARNT_NOTHING = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    add_run_options(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="say what the run would do and take; start nothing"
    )
    parser.add_argument(
        "--no-probe", action="store_true", help="with --dry-run: without the search of 30 seconds"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the closing table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """`run_recipe`, if there is anything to run."""
    if not names_anything(arguments, arguments.overrides):
        raise BadInput(
            "run what? `rstar demo`, or `rstar run --model MODEL --problems FILE`; "
            "`rstar run --help` has the options"
        )
    return run_recipe(arguments)


def run_recipe(arguments: argparse.Namespace) -> int:
    """Run the rounds that are not done, then print the table.

    0 when all rounds are closed and the policy was trained, 3 when there was nothing to train on.
    """
    from rstar_async.coordinator.preflight import check_startable, is_complete
    from rstar_async.launch.run import launch

    recipe = recipe_to_start(arguments, arguments.overrides)
    if recipe.slurm.is_used:
        from rstar_async.cli.slurm_run import submit_run

        return submit_run(arguments, recipe)
    if arguments.dry_run:
        return _dry_run(arguments, recipe)
    check_startable(recipe)
    if is_complete(recipe):
        return show_complete(recipe, arguments.json)
    announce(recipe)
    code = launch(recipe)
    if code == BAD_INPUT:
        return code
    return close(recipe, arguments.json, code)


def show_complete(recipe: Recipe, json_file: Path | None = None) -> int:
    """Say that nothing is left to do, and close like a run that has just ended."""
    done = f"all {len(recipe.rounds)} rounds are done" if recipe.rounds else "it is measured"
    print(f"run {recipe.name}: {done}; nothing to do")
    return close(recipe, json_file, 0)


def _dry_run(arguments: argparse.Namespace, recipe: Recipe) -> int:
    from rstar_async.cli.dry_run import dry_run
    from rstar_async.cli.recipe_arguments import origins_of
    from rstar_async.coordinator.preflight import check_recipe, stored_recipe

    check_recipe(recipe)
    stored = stored_recipe(recipe)
    return dry_run(arguments, recipe, origins_of(arguments, arguments.overrides, stored))


def announce(recipe: Recipe) -> None:
    """Say what is about to be learnt from and measured."""
    from rstar_async.cli.output import print_folded
    from rstar_async.data.problems import heldout_problems, problems_of_round

    rounds, heldout = len(recipe.rounds), len(heldout_problems(recipe))
    searched = "the bootstrap alone"
    if rounds:
        problems = len(problems_of_round(recipe, 1))
        searched = f"{rounds} round{'s' * (rounds > 1)}, {problems:,} problems"
    measured = f"{heldout:,} held out and measured" if heldout else "none held out, so no accuracy"
    print_folded(f"run {recipe.name}: {recipe.model.base}, {searched}, {measured}")


def close(recipe: Recipe, json_file: Path | None, code: int) -> int:
    """Print the table, write the JSON, print what was learnt, where everything is and the next
    command; the exit code."""
    from rstar_async.cli.report import print_report

    print_report(recipe.database_url, recipe.name, json_file)
    learnt = True
    if complete := code == 0:
        lesson = _lesson(recipe)
        learnt = lesson.learnt
        _print_lesson(lesson)
    print(f"\ndatabase   {recipe.database_url}")
    print(f"models     {recipe.models_folder}")
    print(f"logs       {recipe.home_folder / 'logs'}")
    if complete:
        home = shlex.quote(str(_from_here(recipe.home_folder)))
        print(f"next       rstar view {home}")
        if recipe.rounds:
            print(f"           rstar trajectories {home}{'' if learnt else ' --wrong'}")
        else:
            print("           the same command with --rounds 1 or more searches and trains")
    else:
        print("next       the same command again continues where this one stopped")
    return code if learnt else LEARNT_NOTHING


def _from_here(folder: Path) -> Path:
    """As one would type it: relative, if it is below the present folder."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _lesson(recipe: Recipe) -> "Lesson":
    from rstar_async.reports.lesson import lesson_of
    from storage.database import open_database

    with open_database(recipe.database_url, must_exist=True) as database:
        return lesson_of(database, recipe)


def _print_lesson(lesson: "Lesson") -> None:
    from rstar_async.cli.output import print_folded, print_labelled

    if lesson.gain is not None:
        low, high = 100 * lesson.gain.low, 100 * lesson.gain.high
        chance = "; may be chance" if low <= 0 <= high else ""
        print_folded(
            f"\nheld-out pass@1 {100 * lesson.gain.mean:+.1f} points since the bootstrap "
            f"[{low:+.1f}, {high:+.1f}]{chance}"
        )
    elif lesson.accuracy is None:
        print("\nnothing was measured: no problems are held out (--problems.heldout N)")
    if not lesson.reason:
        return
    print()
    print_folded(lesson.reason if lesson.learnt else f"nothing was learnt: {lesson.reason}")
    if lesson.found:
        print_labelled("why", lesson.found)
    for number, remedy in enumerate(lesson.remedies):
        print_labelled("" if number else "try", remedy)
    print_labelled("", "under another --name, since a run keeps its settings")
