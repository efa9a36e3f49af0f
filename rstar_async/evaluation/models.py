"""Finds the models to measure, given the folder of a run or of a published model."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values, read_recipe, read_stored_recipe
from rstar_async.errors import BadInput
from rstar_async.launch.run_folders import RECIPE, is_run, why_no_run
from rstar_async.search.models import MANIFEST, read_manifest
from storage import queries
from storage.database import open_database
from storage.records import Round, Run


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Models of one round of a run. The recipe says where they and the database are.

    `ppm_note` says in one line that the PPM was left out or is doubtful, "" if it is neither.
    """

    recipe: Recipe
    run_id: str
    round: int
    policy: str
    ppm: str | None
    ppm_note: str = ""


def find_models(model: Path, number: int | None = None, ppm: Path | None = None) -> ModelRef:
    """The models in the folder `model`: the newest of a run (or those of round `number`), or a
    published version.

    A version in its run's folder belongs to that run, another gets a store of its own below `runs`.
    Raises `BadInput` if there is none.
    """
    if (model / RECIPE).is_file():
        return _of_run(model, number)
    if (model / MANIFEST).is_file():
        return _of_version(model.absolute(), ppm.absolute() if ppm else None)
    if is_run(model):
        raise BadInput(f"the run in {model} has no {RECIPE}, which names its models")
    if not (model / "config.json").is_file():
        raise BadInput(why_no_run(model))
    raise BadInput(
        f"{model} is neither the folder of a run ({RECIPE}) nor a published model "
        f"({MANIFEST}); `rstar run --model {model}` makes a run of it"
    )


def base_of(model: ModelRef) -> str:
    """What the policy was trained from, as its manifest says; "" if that is not known."""
    try:
        manifest = read_manifest(model.recipe.models_folder / model.policy)
    except BadInput:
        return ""
    return str(manifest.get("base", ""))


def with_settings_of(recipe: Recipe, path: Path | None) -> Recipe:
    """The recipe with the test-time settings of the one in `path`, such as the paper's."""
    if path is None:
        return recipe
    other = read_recipe(path)
    return structs.replace(
        recipe,
        search=other.search,
        execution=other.execution,
        bounds=other.bounds,
        answers=other.answers,
        evaluation=other.evaluation,
    )


def with_own_store(model: ModelRef, home: Path) -> ModelRef:
    """The same models with a store of their own in `home`, so that their run is only read."""
    models = model.recipe.models_folder
    recipe = structs.replace(model.recipe, home=str(home.absolute()), database="")
    _link([models / name for name in (model.policy, model.ppm) if name], recipe.models_folder)
    return _create_store(replace(model, recipe=recipe))


def _of_run(home: Path, number: int | None) -> ModelRef:
    recipe = _stored_recipe(home)
    with open_database(recipe.database_url, must_exist=True) as database:
        policy = database.read(queries.latest_published, recipe.name, "policy", number)
        newest = policy.round if policy else None
        ppm = database.read(queries.latest_published, recipe.name, "ppm", newest)
    if policy is None or (number is not None and policy.round != number):
        of_round = "" if number is None else f" of round {number}"
        raise BadInput(f"the run {recipe.name} in {home} has no published policy{of_round} yet")
    return ModelRef(recipe, recipe.name, policy.round, policy.id, ppm.id if ppm else None)


def _stored_recipe(home: Path) -> Recipe:
    recipe = read_stored_recipe(home / RECIPE)
    return structs.replace(recipe, home=str(home.absolute()))


def _of_version(folder: Path, ppm: Path | None) -> ModelRef:
    manifest = manifest_of(folder, "policy")
    run_home = folder.parent.parent
    if ppm is None and (run_home / RECIPE).is_file():
        return replace(_of_run(run_home, manifest["round"]), policy=folder.name)
    return _outside_runs(folder, ppm)


def _outside_runs(policy: Path, ppm: Path | None) -> ModelRef:
    """The versions in a run of their own below `runs`: links to them, and a store."""
    versions = [policy]
    if ppm is not None:
        manifest_of(ppm, "ppm")
        versions.append(ppm)
    name = f"evaluation-{policy.name}"
    recipe = Recipe(name=name)
    _link(versions, recipe.models_folder)
    return _create_store(ModelRef(recipe, name, 0, policy.name, ppm.name if ppm else None))


def _link(versions: list[Path], models: Path) -> None:
    try:
        models.mkdir(parents=True, exist_ok=True)
        for version in versions:
            if not (models / version.name).exists():
                (models / version.name).symlink_to(version.absolute())
    except OSError as error:
        raise BadInput(f"cannot write to {models}: {error.strerror}") from None


def _create_store(model: ModelRef) -> ModelRef:
    """Make the store of the model, with the one round that its searches belong to."""
    recipe = model.recipe
    run = Run(model.run_id, as_toml_values(recipe), recipe.seed, "")
    round_ = Round(model.run_id, model.round, "closed", model.policy, model.ppm)
    with open_database(recipe.database_url) as database:
        database.commit(run, round_)
    return model


def manifest_of(folder: Path, kind: str) -> dict[str, Any]:
    """The manifest of the version in `folder`; `BadInput` unless it is one of that kind."""
    manifest = read_manifest(folder)
    if manifest.get("kind") != kind:
        raise BadInput(f"{folder} is a published {manifest.get('kind')}, not a {kind}")
    return manifest
