"""`rstar run`: all rounds of a recipe on this machine."""

import argparse
import shlex
from pathlib import Path

from rstar_async.cli.recipe_arguments import add_recipe_arguments, recipe_to_start
from rstar_async.config import Recipe

TAKES_OVERRIDES = True
BAD_INPUT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the closing table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the rounds that are not done, then print the table; 0 when all rounds are closed."""
    from rstar_async.coordinator.preflight import check_startable, is_complete
    from rstar_async.launch.run import launch

    recipe = recipe_to_start(arguments, arguments.overrides)
    check_startable(recipe)
    code = 0
    if is_complete(recipe):
        print(f"run {recipe.name}: all {len(recipe.rounds)} rounds are done; nothing to do")
    else:
        code = launch(recipe)
    if code != BAD_INPUT:
        _close(recipe, arguments.json, complete=code == 0)
    return code


def _close(recipe: Recipe, json_file: Path | None, *, complete: bool) -> None:
    """Print the table, write the JSON, print where everything is and the next command."""
    from rstar_async.cli.report import print_report

    print_report(recipe.database_url, recipe.name, json_file)
    print(f"\ndatabase   {recipe.database_url}")
    print(f"models     {recipe.models_folder}")
    print(f"logs       {recipe.home_folder / 'logs'}")
    if complete:
        home = shlex.quote(str(recipe.home_folder))
        print(f"next       rstar view {home}")
        print(f"           rstar trajectories {home}")
    else:
        print("next       the same command again continues where this one stopped")
