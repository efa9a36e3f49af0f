"""`rstar presets`: the paper's settings, the reference code's, and a recipe's, side by side."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rstar_async.cli.recipe_arguments import add_recipe_arguments, origins_of, recipe_of

if TYPE_CHECKING:
    from rich.table import Table

    from rstar_async.config import Preset, Recipe

TAKES_OVERRIDES = True
BOTH: tuple["Preset", ...] = ("paper", "reference")

Rows = list[tuple[str, dict[str, Any]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, setting by setting")


def run(arguments: argparse.Namespace) -> int:
    """Print every setting that is not the same everywhere; rounds as one value per round."""
    import msgspec
    from rich.console import Console

    from rstar_async.cli.output import print_table
    from rstar_async.config.presets import PRESETS, differences, preset_recipe

    own = arguments.recipe.stem if arguments.recipe else "defaults"
    columns: dict[str, Recipe] = {name: preset_recipe(name) for name in BOTH}
    rows = differences({**columns, own: recipe_of(arguments, arguments.overrides)})
    given: dict[str, Mapping[str, Any]] = {name: PRESETS[name] for name in BOTH}
    given[own] = origins_of(arguments, arguments.overrides)
    if arguments.json:
        print(msgspec.json.encode(dict(rows)).decode())
        return 0
    print_table(_table(rows, {name: given[name] for name in (*columns, own)}), may_wrap=True)
    Console().print("Differences that are not settings: docs/paper.md", style="dim")
    return 0


def _table(rows: Rows, given: Mapping[str, Mapping[str, Any]]) -> "Table":
    """A column for each recipe; what it does not set itself is marked as a default."""
    from rich.table import Column, Table

    table = Table(Column("setting", no_wrap=True), *given)
    for key, row in rows:
        cells = (
            _cell(row[name]) + ("" if is_given(key, settings) else " (default)")
            for name, settings in given.items()
        )
        table.add_row(key, *cells)
    return table


def is_given(key: str, settings: Mapping[str, Any]) -> bool:
    """Whether a setting was given; one of a round also by `search` or by the rounds themselves."""
    section, _, name = key.partition(".")
    return key in settings or (
        section == "rounds" and ("rounds" in settings or f"search.{name}" in settings)
    )


def _cell(value: Any) -> str:
    from rstar_async.config.presets import ByRound

    if isinstance(value, tuple) and value:
        return (" | " if isinstance(value, ByRound) else " ").join(map(_cell, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in ("", None, ()) else str(value)
