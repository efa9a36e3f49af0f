"""Checks of a recipe and of its stored run, before any process is started."""

from collections.abc import Sequence
from typing import Any

from rstar_async.config import Recipe
from rstar_async.config.layers import flattened
from rstar_async.config.loader import as_toml_values
from rstar_async.config.started_runs import FREE_SECTIONS, settings_of_started_run
from rstar_async.data.hub_names import refuse_bare_hub_name
from rstar_async.data.problems import check_problems, heldout_problems
from rstar_async.data.solved_examples import solved_examples
from rstar_async.domains.registry import domain_of
from rstar_async.engines.checks import check_servable, check_trainable
from rstar_async.errors import BadInput
from rstar_async.models.sources import require
from storage import queries
from storage.database import open_database
from storage.network_filesystem import refuse_network_filesystem
from storage.records import Round

# Rounds are compared one by one, because a run may be given more of them.
_NOT_COMPARED = (*FREE_SECTIONS, "rounds")


def stored_recipe(recipe: Recipe) -> dict[str, Any] | None:
    """The settings that the run of this name was started with; None if there is none yet."""
    try:
        with open_database(recipe.database_url, must_exist=True) as database:
            run = database.read(queries.run_by_id, recipe.name)
    except BadInput:
        return None
    return run.recipe if run is not None else None


def check_startable(recipe: Recipe) -> None:
    """Raise `BadInput`, before anything is written, for what would only fail minutes later: what
    `check_recipe` refuses, and settings that differ from the stored ones."""
    check_recipe(recipe)
    recipe.home_folder.mkdir(parents=True, exist_ok=True)
    with open_database(recipe.database_url) as database:
        run = database.read(queries.run_by_id, recipe.name)
        rounds = database.read(queries.rounds_of, recipe.name)
    if run is not None:
        _refuse_other_settings(recipe, run.recipe)
        _refuse_other_rounds(recipe, rounds)


def check_recipe(recipe: Recipe) -> None:
    """Raise `BadInput` for a base model that cannot be loaded, an unknown domain or engine, bad
    files of problems and examples, and a store where SQLite would be damaged. Writes nothing."""
    refuse_network_filesystem(recipe.database_url)
    domain_of(recipe)
    refuse_bare_hub_name(recipe.problems.source, "problems.source")
    refuse_bare_hub_name(recipe.problems.heldout_source, "problems.heldout_source")
    refuse_bare_hub_name(recipe.bootstrap.source, "bootstrap.source")
    check_trainable(recipe)
    check_servable(recipe, ppm=recipe.ppm.train)
    if not _has_base(recipe):
        require(recipe.model.base)
        if recipe.bootstrap.model:
            require(recipe.bootstrap.model, "bootstrap.model")
    check_problems(recipe)
    _check_examples(recipe)


def _check_examples(recipe: Recipe) -> None:
    """The user's own solved examples can be read, and none is a held-out problem."""
    if not recipe.bootstrap.source:
        return
    questions = {problem.question.strip() for problem in heldout_problems(recipe)}
    for example in solved_examples(recipe):
        if example.question.strip() in questions:
            raise BadInput(
                f"bootstrap.source: {example.question[:80]!r} is a held-out problem, which must "
                "not be learnt from; leave it out of the examples"
            )


def _has_base(recipe: Recipe) -> bool:
    """Whether the base was published; the run then no longer needs its source."""
    try:
        with open_database(recipe.database_url, must_exist=True) as database:
            bootstrap = database.read(queries.round_by_number, recipe.name, 0)
    except BadInput:
        return False
    return bootstrap is not None and bootstrap.status in ("trained", "closed")


def is_complete(recipe: Recipe) -> bool:
    """True if every round is closed."""
    with open_database(recipe.database_url) as database:
        rounds = database.read(queries.rounds_of, recipe.name)
    return len(rounds) > len(recipe.rounds) and all(r.status == "closed" for r in rounds)


def _refuse_other_settings(recipe: Recipe, stored: dict[str, Any]) -> None:
    """A setting that did not exist when the run was started counts with what was done then, or
    with its default; one that no longer exists is ignored."""
    now = flattened(as_toml_values(recipe))
    settings, _ = settings_of_started_run(stored)
    before = {**flattened(as_toml_values(Recipe())), **flattened(settings)}
    for key in sorted(now.keys() | before.keys()):
        if key.split(".")[0] not in _NOT_COMPARED and now.get(key) != before.get(key):
            raise _changed(recipe.name, key, before.get(key), now.get(key))


def _refuse_other_rounds(recipe: Recipe, stored: Sequence[Round]) -> None:
    """A round that has begun stays as it was; rounds that have not may be changed or added."""
    wanted = as_toml_values(recipe)["rounds"]
    for round_ in stored:
        if not round_.number:
            continue
        if round_.number > len(wanted):
            raise BadInput(
                f"run {recipe.name!r} has round {round_.number} already, and the recipe has only "
                f"{len(wanted)}; use the recipe that it was last run with"
            )
        now, before = wanted[round_.number - 1], round_.settings.get("round", {})
        for key in sorted(now.keys() & before.keys()):
            if now[key] != before[key]:
                name = f"rounds[{round_.number}].{key}"
                raise _changed(recipe.name, name, before[key], now[key])


def _changed(run: str, key: str, before: Any, now: Any) -> BadInput:
    return BadInput(
        f"run {run!r} was started with {key} = {before!r}, now it is {now!r}; give the new run "
        "another --name, or undo the change"
    )
