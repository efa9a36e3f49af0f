"""How many searches, tokens and hours a recipe takes, from the rates of a probe. Pure."""

from dataclasses import dataclass

from rstar_async.config import Recipe

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Probe:
    """What a short search by the real engine came to: searches that ended, tokens and nodes of one
    of them, and tokens sampled a second by all workers together."""

    searches: int
    tokens_per_search: float
    nodes_per_search: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Work:
    """Of all rounds; the time is that of sampling, without training."""

    searches: int
    tokens: int
    nodes: int
    hours: float


def work_of(recipe: Recipe, problems: list[int], heldout: int, probe: Probe) -> Work:
    """`problems`: how many each round searches. Tokens and nodes of a search grow as its rollouts
    times its candidates, which is an upper estimate: solved trees end earlier."""
    searches, units = 0, 0.0
    for number, count in enumerate(problems, start=1):
        of_round = recipe.search_of_round(number)
        searches += count
        units += count * _share(recipe, of_round.rollouts, of_round.candidates)
    measured, trees = len(problems) + 1, recipe.evaluation.search
    evaluation = recipe.evaluation
    if trees:
        searches += measured * heldout
        units += measured * heldout * _share(recipe, evaluation.rollouts, evaluation.candidates)
    units += measured * heldout * _share(recipe, 1, evaluation.samples)
    tokens = units * probe.tokens_per_search
    seconds = tokens / probe.tokens_per_second if probe.tokens_per_second else 0.0
    return Work(
        searches, round(tokens), round(units * probe.nodes_per_search), seconds / SECONDS_PER_HOUR
    )


def _share(recipe: Recipe, rollouts: int, candidates: int) -> float:
    """The size of a search as a share of the probe's, which has `search.rollouts` and so on."""
    return rollouts * candidates / (recipe.search.rollouts * recipe.search.candidates)


def hours(value: float) -> str:
    """`3.2 hours`, `12 minutes`, `1 minute` for less."""
    if value >= 1:
        return f"{value:,.1f} hours"
    minutes = max(1, round(60 * value))
    return f"{minutes} minute{'s' * (minutes > 1)}"
