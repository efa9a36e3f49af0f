"""`python -m rstar_async.cli.prepare RECIPE [--KEY VALUE ...]`: prepare a run, start nothing.

For deployments that start the processes themselves, such as containers. Checks the recipe and its
problems, creates or upgrades the database, makes the run's folders and writes `HOME/recipe.json`.
"""

import argparse
import sys

from rstar_async.cli.recipe_arguments import add_recipe_arguments, recipe_to_start, split_overrides
from rstar_async.coordinator.preflight import check_startable
from rstar_async.errors import BadInput
from rstar_async.launch.home import prepare_home


def main() -> int:
    """Print the path of the resolved recipe; exit code 2 on bad input."""
    parser = argparse.ArgumentParser(prog="python -m rstar_async.cli.prepare", description=__doc__)
    add_recipe_arguments(parser)
    try:
        words, overrides = split_overrides(sys.argv[1:])
        recipe = recipe_to_start(parser.parse_args(words), overrides)
        check_startable(recipe)
        print(prepare_home(recipe))
    except BadInput as error:
        print(f"rstar: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
