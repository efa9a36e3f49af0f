"""Where a stored run stands, asked before any process is started."""

from pathlib import Path
from typing import Any

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.recipes import as_toml_values
from rstar_async.rounds.problems import heldout_problems, problems_of_round
from storage import queries
from storage.database import open_database

# What may differ between two starts of one run: it decides how fast, not what.
_FREE_SECTIONS = ("workers", "observe", "home", "database")


def check_startable(recipe: Recipe) -> None:
    """Refuse what would only fail minutes later: bad problem files, other settings than stored."""
    _refuse_missing_model(recipe.model.base)
    heldout_problems(recipe)
    problems_of_round(recipe, 1)
    recipe.home_folder.mkdir(parents=True, exist_ok=True)
    with open_database(recipe.database_url) as database:
        run = database.read(queries.run_by_id, recipe.name)
    if run is not None:
        _refuse_other_settings(recipe, run.recipe)


def _refuse_missing_model(base: str) -> None:
    """A name may be a hub's and is left to the trainer; what is plainly a path must be there."""
    path = Path(base).expanduser()
    is_path = path.is_absolute() or base.startswith(".") or path.suffix == ".gguf"
    if is_path and not path.exists():
        raise BadInput(f"model.base: there is no file or folder {path}")


def is_complete(recipe: Recipe) -> bool:
    """True if every round is closed."""
    with open_database(recipe.database_url) as database:
        rounds = database.read(queries.rounds_of, recipe.name)
    return len(rounds) > len(recipe.rounds) and all(r.status == "closed" for r in rounds)


def _refuse_other_settings(recipe: Recipe, stored: dict[str, Any]) -> None:
    """A setting that did not exist when the run was started had its default."""
    now = _flat(as_toml_values(recipe))
    before = {**_flat(as_toml_values(Recipe())), **_flat(stored)}
    for key in sorted(now.keys() | before.keys()):
        if key.split(".")[0] not in _FREE_SECTIONS and now.get(key) != before.get(key):
            raise BadInput(
                f"run {recipe.name!r} was started with {key} = {before.get(key)!r}, now it is "
                f"{now.get(key)!r}; give the new run another --name, or undo the change"
            )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
