"""What single samples and guided passes came to, read from the store of an evaluated run."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import fmean

import msgspec

from rstar_async.domains.registry import domain_of
from rstar_async.evaluation.guided import GuidedSampling
from rstar_async.evaluation.request import EvaluationRequest
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.selection import Proposal, best_ppm
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategy import Strategy
from rstar_async.search.models import ActiveModels
from storage import queries
from storage.database import Database, open_database
from storage.records import Problem

STRATEGIES: tuple[Strategy, ...] = (Sampling(), GuidedSampling())
REPEATS = 50  # random choices of n of all draws, over which the accuracy is averaged


@dataclass(frozen=True)
class Draws:
    """By strategy: by question, the answer of every draw, None if it came to none; and the mean
    tokens of a draw."""

    answers: Mapping[str, Mapping[str, Sequence[Proposal | None]]]
    tokens: Mapping[str, float]

    @property
    def samples_of_a_pass(self) -> int:
        """How many samples have the tokens of one guided pass or just more."""
        return math.ceil(self.tokens["guided"] / self.tokens["sample"])

    def best_of(self, strategy: str, number: int) -> dict[str, float]:
        """By question, how often the best of `number` draws by PPM value is right; of all draws
        where there are fewer."""
        found: dict[str, float] = {}
        for question, draws in self.answers[strategy].items():
            lot = random.Random(question)
            chosen = [_best(lot.sample(draws, min(number, len(draws)))) for _ in range(REPEATS)]
            found[question] = fmean(one is not None and one.is_correct is True for one in chosen)
        return found


def draws_of(home: Path, strategies: Sequence[Strategy] = STRATEGIES) -> Draws:
    """Those of the last evaluation of the run in `home`, which used these strategies."""
    request = msgspec.json.decode(
        (home / "evaluation" / "request.json").read_bytes(), type=EvaluationRequest
    )
    model, recipe = request.model, request.model.recipe
    prompts = domain_of(recipe).prompts
    models = ActiveModels.load(recipe.models_folder, model.policy, model.ppm, prompts)
    settings = EvaluationSettings.of(recipe, model.run_id, model.round, models)
    with open_database(recipe.database_url, must_exist=True) as database:
        found = [database.read(queries.problem_by_id, id_) for id_ in request.problems]
        problems = [problem for problem in found if problem is not None]
        read = {one.name: _read(database, settings, one, problems) for one in strategies}
    return Draws(
        {name: answers for name, (answers, _) in read.items()},
        {name: tokens for name, (_, tokens) in read.items()},
    )


def _read(
    database: Database,
    settings: EvaluationSettings,
    strategy: Strategy,
    problems: Sequence[Problem],
) -> tuple[dict[str, list[Proposal | None]], float]:
    """The answers by question, and the mean tokens of a draw."""
    answers: dict[str, list[Proposal | None]] = {}
    tokens: list[float] = []
    for problem in problems:
        attempts = []
        for number in count(1):
            attempt = database.read(queries.attempt, settings.attempt(strategy, problem, number).id)
            if attempt is None or attempt.search.status != "finished":
                break
            attempts.append(attempt)
        trajectories = strategy.trajectories(attempts, {}, "best_ppm")
        answers[problem.question] = [one.proposal for one in trajectories]
        tokens.append(sum(one.new_tokens for one in attempts) / len(trajectories))
    return answers, fmean(tokens)


def _best(draws: Sequence[Proposal | None]) -> Proposal | None:
    return best_ppm([one for one in draws if one is not None])
