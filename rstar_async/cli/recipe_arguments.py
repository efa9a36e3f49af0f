"""`--search.rollouts 16` or `--search.rollouts=16`: settings of a recipe on the command line."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.config import Recipe

# Options without a dot, and the settings they mean.
_SETTINGS = {
    "model": "model.base",
    "problems": "problems.source",
    "name": "name",
    "home": "home",
    "database": "database",
    "seed": "seed",
    "preset": "preset",
}


def split_overrides(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the words without dotted settings, then those settings as pairs of key and value."""
    others: list[str] = []
    pairs: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or "." not in key:
            others.append(word)
            continue
        given = value if equals else next(rest, None)
        if given is None:
            raise BadInput(f"{word} needs a value")
        pairs.append((key, given))
    return others, pairs


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a recipe; `split_overrides` must take the dotted ones out first."""
    parser.epilog = "Any setting of the recipe: --search.rollouts 16, --workers.executor 2, ..."
    parser.add_argument("recipe", nargs="?", type=Path, help="TOML file, e.g. recipes/demo.toml")
    parser.add_argument("--model", help="base model: folder, GGUF file, package:NAME or hub id")
    parser.add_argument("--problems", help="JSONL or JSON file with questions and answers")
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--home", help="its folder [runs/NAME]")
    parser.add_argument("--database", help="URL, e.g. of a PostgreSQL server [HOME/rstar.db]")
    parser.add_argument("--seed", help="from which all other seeds derive")
    parser.add_argument("--preset", help="start from the settings of `paper` or `reference`")


def recipe_to_start(
    arguments: argparse.Namespace, overrides: Sequence[tuple[str, str]]
) -> "Recipe":
    """The recipe these options mean for `rstar run`; where the run exists, settings that they do
    not name are those it was started with."""
    from rstar_async.coordinator.preflight import stored_recipe

    recipe = recipe_of(arguments, overrides)
    stored = stored_recipe(recipe)
    return recipe_of(arguments, overrides, stored) if stored else recipe


def recipe_of(
    arguments: argparse.Namespace,
    overrides: Sequence[tuple[str, str]],
    started_with: Mapping[str, Any] | None = None,
) -> "Recipe":
    """The recipe these options mean; `BadInput` names what is wrong with it."""
    from rstar_async.config.loader import read_recipe

    given = [(key, value) for name, key in _SETTINGS.items() if (value := getattr(arguments, name))]
    return read_recipe(arguments.recipe, [*given, *overrides], started_with)
