"""Whether the engines of a recipe can do what it asks; tested before any process is started."""

from rstar_async.config import Recipe
from rstar_async.engines.registry import engine_name, find_engine
from rstar_async.errors import BadInput


def check_servable(recipe: Recipe, *, ppm: bool) -> None:
    """`BadInput` if the engines cannot serve a policy, or a PPM where one is needed."""
    policies = find_engine(engine_name(recipe, "inference"))
    if not policies.generator:
        raise BadInput(f"workers.engine: {policies.name} does not generate text")
    policies.worker_options(recipe, "inference")
    if not ppm:
        return
    scorers = find_engine(engine_name(recipe, "reward"))
    if not scorers.scorer:
        raise BadInput(
            f"the engine {scorers.name} does not score steps; serve the PPM by another, such as "
            "--workers.reward_engine local"
        )
    scorers.worker_options(recipe, "reward")


def check_trainable(recipe: Recipe) -> None:
    """`BadInput` if the run would train a model that its engine could not serve."""
    if remedies := [*_for_policy(recipe), *_for_ppm(recipe)]:
        raise BadInput(
            f"the engine {recipe.workers.engine} cannot load the models that training publishes, "
            f"so a run with it only searches; give {' '.join(remedies)}"
        )


def _for_policy(recipe: Recipe) -> list[str]:
    if find_engine(engine_name(recipe, "inference")).loads_versions:
        return []
    remedies = ["--policy.train false"] if recipe.policy.train else []
    if recipe.bootstrap.kind == "demonstrations":
        remedies.append("--bootstrap.kind checkpoint (or few_shot)")
    return remedies


def _for_ppm(recipe: Recipe) -> list[str]:
    engine = find_engine(engine_name(recipe, "reward"))
    if not recipe.ppm.train or (engine.scorer and engine.loads_versions):
        return []
    return ["--ppm.train false (or --workers.reward_engine local)"]
