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
    """Add the file and the options of a recipe."""
    parser.add_argument("recipe", nargs="?", type=Path, help="TOML file, e.g. recipes/demo.toml")
    add_setting_options(parser)


def add_setting_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a recipe; `split_overrides` must take the dotted ones out first."""
    parser.epilog = (
        "Any setting of the recipe: --search.rollouts 16, --workers.executor 2, ... "
        "`rstar settings` lists all with their defaults, `rstar settings SECTION` explains those "
        f"of {', '.join(_sections())}."
    )
    parser.add_argument("--model", help="base model: folder, GGUF file, package:NAME or hub id")
    parser.add_argument(
        "--problems",
        help="questions with answers: a JSONL, JSON, CSV or parquet file, a saved dataset, or one "
        "of the Hugging Face hub, such as hf:openai/gsm8k:main@train",
    )
    parser.add_argument(
        "--rounds",
        metavar="N",
        help="how many rounds [those of the recipe, or 1]; 0 measures the bootstrap alone",
    )
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--home", help="its folder [runs/NAME]")
    parser.add_argument("--database", help="URL, e.g. of a PostgreSQL server [HOME/rstar.db]")
    parser.add_argument("--seed", help="from which all other seeds derive")
    parser.add_argument("--preset", help="start from the settings of `paper` or `reference`")


def _sections() -> list[str]:
    from msgspec import Struct, structs

    from rstar_async.config import Recipe

    return [f.name for f in structs.fields(Recipe) if isinstance(f.default, Struct)] + ["rounds"]


def names_anything(arguments: argparse.Namespace, overrides: Sequence[tuple[str, str]]) -> bool:
    """Whether any setting of a recipe was given."""
    given = (arguments.recipe, arguments.rounds, *(getattr(arguments, name) for name in _SETTINGS))
    return bool(overrides) or any(given)


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
    from rstar_async.config.round_schedule import with_rounds

    recipe = read_recipe(arguments.recipe, [*_given(arguments), *overrides], started_with)
    return with_rounds(recipe, arguments.rounds) if arguments.rounds else recipe


def origins_of(
    arguments: argparse.Namespace,
    overrides: Sequence[tuple[str, str]],
    started_with: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """What gave each setting that is not a default."""
    from rstar_async.planning.provenance import COMMAND_LINE, origins

    found = origins(arguments.recipe, [*_given(arguments), *overrides], started_with)
    return {**found, "rounds": COMMAND_LINE} if arguments.rounds else found


def _given(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """The options without a dot as settings."""
    return [(key, value) for name, key in _SETTINGS.items() if (value := getattr(arguments, name))]
