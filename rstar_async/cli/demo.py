"""`rstar demo`: three rounds on the demo's tiny model, by the recipe in the package."""

import argparse
from pathlib import Path

from rstar_async.cli.recipe_arguments import add_setting_options
from rstar_async.cli.run import add_run_options, run_recipe

TAKES_OVERRIDES = True
RECIPE = Path(__file__).parents[1] / "demo" / "demo.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_setting_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """As `rstar run` with that recipe; about nine minutes on two cores."""
    arguments.recipe = RECIPE
    return run_recipe(arguments)
