"""Rules that relate two settings. The bounds of one setting stand on its field. Pure."""

from collections.abc import Iterator
from itertools import pairwise

from msgspec import structs

from rstar_async.config.recipe import Recipe
from rstar_async.config.slurm import SlurmConfig
from rstar_async.sanitize import shown


def contradictions(recipe: Recipe) -> Iterator[str]:
    """A line for each pair of settings that cannot work together."""
    if recipe.bootstrap.model and recipe.bootstrap.kind != "few_shot":
        yield "bootstrap.model is prompted, so bootstrap.kind must be few_shot"
    if recipe.bootstrap.source and recipe.bootstrap.kind != "demonstrations":
        yield "bootstrap.source is learnt from, so bootstrap.kind must be demonstrations"
    if recipe.model.dtype == "int8" and recipe.workers.engine != "local":
        yield f"model.dtype is int8, which the engine {recipe.workers.engine} does not compute in"
    if recipe.ppm.train and not recipe.workers.reward:
        yield "workers.reward is 0, but must be at least 1 while ppm.train is true"
    if recipe.ppm.patience and not recipe.ppm.heldout_share:
        yield "ppm.patience needs held-out problems to choose by: set ppm.heldout_share above 0"
    if recipe.training.weights == "bfloat16" and recipe.training.optimizer != "adamw_8bit":
        yield from _unrounded_steps(recipe)
    if "{name}" in recipe.home and not _names_a_folder(recipe.name):
        yield f"name {shown(recipe.name)} cannot name a folder, and home is {shown(recipe.home)}"
    if recipe.workers.coordinators > 1:
        yield from _of_several_coordinators(recipe)
    yield from _of_slurm(recipe)
    yield from _guided_too_early(recipe)
    for number, round_ in enumerate(recipe.rounds, start=1):
        yield from _falling_totals(recipe, number)
        if round_.skip and recipe.problems.source == "generated":
            yield f"skip of round {number} is for files; generated problems differ by round"


def _of_several_coordinators(recipe: Recipe) -> Iterator[str]:
    several = f"workers.coordinators is {recipe.workers.coordinators}"
    if not recipe.database.startswith("postgres"):
        yield (
            f"{several}, and several need a database that takes more than one writer at a time: "
            "postgresql://…"
        )
    if recipe.sglang.share_device:
        yield f"{several}, but must be 1 with sglang.share_device: one alone hands the GPU over"


def _of_slurm(recipe: Recipe) -> Iterator[str]:
    slurm = recipe.slurm
    if slurm.training_nodes > 1 and not recipe.database.startswith("postgres"):
        yield "slurm.training_nodes above 1 needs a database that all nodes reach: postgresql://…"
    if slurm.nodes and slurm.training_nodes > slurm.nodes:
        yield f"slurm.training_nodes is {slurm.training_nodes}, but slurm.nodes only {slurm.nodes}"
    for field in structs.fields(SlurmConfig):
        value = getattr(slurm, field.name)
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\n" in text for text in texts):
            yield f"slurm.{field.name} must not hold line breaks, which end a line of the script"


def _unrounded_steps(recipe: Recipe) -> Iterator[str]:
    """Trainings of all weights in bfloat16 by an optimiser that does not round stochastically."""
    for name, settings in (("policy", recipe.policy), ("ppm", recipe.ppm)):
        if settings.train and not settings.lora.rank:
            yield (
                "training.weights is bfloat16, so training.optimizer must be adamw_8bit, "
                f"or {name}.lora.rank above 0"
            )


def _names_a_folder(name: str) -> bool:
    """Whether it is one folder below the one that it is put in."""
    return name not in ("", ".", "..") and not set(name) & {"/", "\0"}


def _guided_too_early(recipe: Recipe) -> Iterator[str]:
    """Rounds that a PPM is to guide before one is trained."""
    if recipe.rounds and recipe.rounds[0].guidance == "ppm":
        yield "round 1 cannot be guided by a PPM, there is none yet"
    for number in range(2, min(recipe.ppm.first_round, len(recipe.rounds)) + 1):
        if recipe.rounds[number - 1].guidance == "ppm":
            yield (
                f"round {number} cannot be guided by a PPM: ppm.first_round is "
                f"{recipe.ppm.first_round}"
            )


def _falling_totals(recipe: Recipe, number: int) -> Iterator[str]:
    unsolved = recipe.rounds[number - 1].unsolved_rollouts
    totals = [recipe.search_of_round(number).rollouts, *unsolved]
    if any(earlier >= later for earlier, later in pairwise(totals)):
        yield (
            f"round {number} goes from {' to '.join(map(str, totals))} rollouts, but "
            "rounds.unsolved_rollouts are totals, each above the one before"
        )
