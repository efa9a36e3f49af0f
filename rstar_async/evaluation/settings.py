"""What is measured: models, settings and seed, and the names of attempts that follow from it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from msgspec import structs

from rstar_async.config import BoundsConfig, EvaluationConfig, ExecutionConfig, Recipe, SearchConfig
from rstar_async.search.models import ActiveModels
from rstar_async.search.runner import SearchPlan
from rstar_async.seeding import digest, seed_of
from storage.records import Problem, Search

# A tree of Monte Carlo search, a pass of step beam search, a batch of sampled solutions, and the
# one solution without sampling.
Method: TypeAlias = Literal["tree", "beam", "sample", "greedy"]
# Held against these go the others at the same number of tokens.
SAMPLES_IN_BATCH = 8
SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """One policy, perhaps with a PPM, of one round of a run, under fixed settings.

    Attempts are named by what they are, so a study that asks for more trajectories or more problems
    finds those of the smaller one, and one that was cut off finds its own.
    """

    run_id: str
    round: int
    seed: int
    models: ActiveModels
    search: SearchConfig
    execution: ExecutionConfig
    bounds: BoundsConfig
    evaluation: EvaluationConfig

    @classmethod
    def of(
        cls, recipe: Recipe, run_id: str, number: int, models: ActiveModels
    ) -> "EvaluationSettings":
        return cls(
            run_id=run_id,
            round=number,
            seed=recipe.seed,
            models=models,
            search=recipe.search_of_evaluation,
            execution=recipe.execution,
            bounds=recipe.bounds,
            evaluation=recipe.evaluation,
        )

    def plan(self, method: Method) -> SearchPlan:
        """How an attempt is made; the gold answer never guides it."""
        temperature = 0.0 if method == "greedy" else self.search.temperature
        settings = structs.replace(self.search, temperature=temperature)
        return SearchPlan(self.models, settings, self.execution, "ppm", self.bounds)

    def attempt(self, method: Method, problem: Problem, number: int) -> Search:
        """The row of attempt `number` (from 1) at a problem.

        Its seed does not depend on settings, so two schedules of rollouts are compared on trees
        that are the same as far as both go.
        """
        models = self.models
        parts = (self.run_id, self.round, models.policy, models.ppm, self.seed, self._ways(method))
        return Search(
            id=digest("attempt", *parts, method, problem.id, number).hex(),
            run_id=self.run_id,
            round=self.round,
            problem_id=problem.id,
            purpose="evaluation",
            seed=seed_of(self.seed, method, number) % SEEDS,
            policy_id=models.policy,
            ppm_id=models.ppm,
        )

    def _ways(self, method: Method) -> str:
        """The settings that shape an attempt; how many run at once does not."""
        search = structs.replace(self.search, in_flight=1)
        beams = (self.evaluation.beam_width, self.evaluation.beam_candidates)
        ways = (search, self.execution, self.bounds, beams if method == "beam" else ())
        return msgspec.json.encode(ways).decode()
