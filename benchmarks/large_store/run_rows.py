"""The rows of a run that are not trees: rounds, models, evaluations and their answers."""

from collections.abc import Iterator, Sequence

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    ModelKind,
    ModelVersion,
    Problem,
    Record,
    Round,
    RoundProgress,
    Run,
)
from tests.view.generated import START

SAMPLES = 8
ROUND_SECONDS = 4000.0


def run_rows(recipe: Recipe) -> Iterator[Record]:
    """The run, its base, and all its rounds, which begin to search."""
    yield Run(recipe.name, as_toml_values(recipe), recipe.seed, "benchmark", START)
    yield Round(recipe.name, 0, "closed", "", None, {}, START, START, START + 10, START + 20, 20.0)
    for number in range(1, len(recipe.rounds) + 1):
        ppm = f"ppm-{number - 1}" if number > 1 else None
        begun = START + ROUND_SECONDS * number
        yield Round(recipe.name, number, "searching", f"policy-{number - 1}", ppm, {}, begun)
    yield _version(recipe, "policy", 0, None)


def closed_round(recipe: Recipe, number: int) -> Iterator[Record]:
    """The models and evaluations of a round, which closes it."""
    yield _version(recipe, "policy", number, f"policy-{number - 1}")
    yield _version(recipe, "ppm", number, f"policy-{number}")
    for method in ("policy", "majority", "search"):
        yield _evaluation(recipe, number, method)
    end = START + ROUND_SECONDS * (number + 1) - 100
    yield RoundProgress(recipe.name, number, "closed", end - 600, end - 300, end, 3900.0)


def evaluation_answers(
    recipe: Recipe, number: int, problems: Sequence[Problem]
) -> Iterator[EvaluationAnswer]:
    """What the policy of the round sampled for each held-out problem."""
    for problem in problems:
        for sample in range(SAMPLES):
            right = (sample + number) % 3 > 0
            text = f"<code>\n# Count what is left.\nleft = {sample}\n<answer>" * 5
            answer = problem.answer if right else "41"
            name = f"policy-{number}-heldout"
            yield EvaluationAnswer(name, problem.id, sample, answer, right, text, 200, 0.5)


def _version(recipe: Recipe, kind: ModelKind, number: int, parent: str | None) -> ModelVersion:
    name = f"{kind}-{number}"
    metrics = {"rows": 9000, "trajectories": 9000, "loss_first": 0.69, "loss_last": 0.31}
    if kind == "ppm":
        metrics["pair_accuracy"] = 0.8
    begun = START + ROUND_SECONDS * number
    return ModelVersion(
        name, recipe.name, kind, number, parent, f"models/{name}", "published", "", {}, metrics,
        begun,
    )  # fmt: skip


def _evaluation(recipe: Recipe, number: int, method: str) -> Evaluation:
    share = 0.4 + 0.1 * number
    return Evaluation(
        f"{method}-{number}-heldout", recipe.name, number, method, "heldout", f"policy-{number}",
        None, 100, SAMPLES, int(100 * SAMPLES * share), share, share - 0.06, share + 0.06, 160_000,
        60.0, {}, START + ROUND_SECONDS * number,
    )  # fmt: skip
