"""`rstar settings`: all settings of a recipe, or those of a name, with defaults and bounds."""

import argparse
import difflib
from typing import TYPE_CHECKING

from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.config.reference import Setting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", help="a setting or a section, such as search.rollouts or ppm [all]"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print names with defaults; a single setting with its values and all that is said of it."""
    import json
    from dataclasses import asdict

    from rstar_async.config.reference import settings

    found = matching(settings(), arguments.name or "")
    if arguments.json:
        print(json.dumps([asdict(setting) for setting in found], indent=2))
    elif len(found) == 1 or arguments.name:
        _print_in_full(found)
    else:
        _print_list(found)
    return 0


def matching(settings: "list[Setting]", name: str) -> "list[Setting]":
    """The setting of this name, all of this section, or those whose last part it is."""
    wanted = name.replace("rounds.", "rounds[].").replace("[][]", "[]")
    inside = (wanted, f"{wanted}[]")
    for found in (
        [one for one in settings if not wanted or one.name == wanted],
        [one for one in settings if any(one.name.startswith(f"{part}.") for part in inside)],
        [one for one in settings if one.name.rpartition(".")[2] == wanted],
    ):
        if found:
            return found
    names = {one.name for one in settings} | {one.section for one in settings if one.section}
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else "`rstar settings` lists all"
    raise BadInput(f"there is no setting {name!r}; {hint}")


def _print_list(found: "list[Setting]") -> None:
    width = max(len(setting.name) for setting in found)
    for setting in found:
        print(f"{setting.name:{width}}  {setting.default}")
    print("\n`rstar settings NAME` explains a setting or all of a section")


def _print_in_full(found: "list[Setting]") -> None:
    import shutil
    from textwrap import fill

    width = min(100, shutil.get_terminal_size().columns)
    for setting in found:
        print(f"{setting.name} = {setting.default}")
        for text in (setting.comment, f"Values: {setting.values}."):
            if text:
                print(fill(text, width, initial_indent="    ", subsequent_indent="    "))
