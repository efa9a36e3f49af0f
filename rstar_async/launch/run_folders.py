"""Which folders are runs, and what to say of a place that is none."""

from collections.abc import Sequence
from pathlib import Path

from rstar_async.sanitize import NAMES_SHOWN

RECIPE, STORE = "recipe.json", "rstar.db"
USUAL_FOLDER = Path("runs")


def is_run(folder: Path) -> bool:
    return (folder / RECIPE).is_file() or (folder / STORE).is_file()


def runs_in(folder: Path) -> list[Path]:
    """The folders of runs in `folder`, by name; none if it is no folder or may not be read."""
    try:
        return sorted(filter(is_run, folder.iterdir()))
    except OSError:
        return []


def why_no_run(place: Path, usual: Path = USUAL_FOLDER) -> str:
    """What is wrong with a place where there is no run, and what to name instead: one of the runs
    in it or beside it, else one of those in the `usual` folder."""
    if place.is_dir():
        if found := runs_in(place):
            return f"{place} is a folder of runs: name one of {_listed(found)}"
        return f"{place} holds no run: it has neither {RECIPE} nor {STORE}{_others(usual)}"
    if not place.exists():
        return f"there is no run at {place}{_others(usual)}"
    if is_run(place.parent):
        return f"{place} is a file: name the folder of the run, {place.parent}"
    return f"{place} is no run but a file{_others(usual)}"


def _others(usual: Path) -> str:
    if found := runs_in(usual):
        return f"; there are {_listed(found)}"
    return f"; `rstar run --name NAME` makes {usual}/NAME"


def _listed(runs: Sequence[Path]) -> str:
    more = len(runs) - NAMES_SHOWN
    return ", ".join(map(str, runs[:NAMES_SHOWN])) + (f" and {more} more" if more > 0 else "")
