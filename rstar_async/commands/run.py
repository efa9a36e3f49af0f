"""`rstar run`: all rounds of a recipe on this machine."""

import argparse
from pathlib import Path

from rstar_async.config import Recipe

TAKES_OVERRIDES = True
BAD_INPUT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Any setting of the recipe: --search.rollouts 16, --workers.executor 2, ..."
    parser.add_argument("recipe", nargs="?", type=Path, help="TOML file, e.g. recipes/demo.toml")
    parser.add_argument("--model", help="base model: folder, GGUF file or hub id")
    parser.add_argument("--problems", help="JSONL or JSON file with questions and answers")
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--home", help="its folder [runs/NAME]")
    parser.add_argument("--database", help="URL, e.g. of a PostgreSQL server [HOME/rstar.db]")
    parser.add_argument("--seed", help="from which all other seeds derive")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the closing table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run what is not done yet, then print the table; 0 when all rounds are closed."""
    from rstar_async.launch.run import launch
    from rstar_async.recipes import read_recipe
    from rstar_async.rounds.state import check_startable, is_complete

    overrides = [*_shortcuts(arguments), *arguments.overrides]
    recipe = read_recipe(arguments.recipe, overrides)
    check_startable(recipe)
    code = 0
    if is_complete(recipe):
        print(f"run {recipe.name}: all {len(recipe.rounds)} rounds are done; nothing to do")
    else:
        code = launch(recipe)
    if code != BAD_INPUT:
        _close(recipe, arguments.json, complete=code == 0)
    return code


def _shortcuts(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    keys = {"model": "model.base", "problems": "problems.source"}
    keys |= {key: key for key in ("name", "home", "database", "seed")}
    return [(dotted, value) for key, dotted in keys.items() if (value := getattr(arguments, key))]


def _close(recipe: Recipe, json_file: Path | None, *, complete: bool) -> None:
    """Print the table, write the JSON, and say where everything is and what to type next."""
    from rstar_async.commands.report import print_report

    print_report(recipe.database_url, recipe.name, json_file)
    print(f"\ndatabase   {recipe.database_url}")
    print(f"models     {recipe.models_folder}")
    print(f"logs       {recipe.home_folder / 'logs'}")
    if complete:
        print(f"next       rstar view {recipe.home_folder}")
        print(f"           rstar trajectories {recipe.home_folder}")
    else:
        print("next       the same command again continues where this one stopped")
