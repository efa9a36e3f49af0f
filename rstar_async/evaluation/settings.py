"""What is measured: models, settings and seed, and the ids and records that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import structs

from rstar_async.config import BoundsConfig, EvaluationConfig, ExecutionConfig, Recipe, SearchConfig
from rstar_async.evaluation.intervals import Share
from rstar_async.evaluation.strategy import Strategy
from rstar_async.search.models import ActiveModels
from rstar_async.search.runner import SearchPlan
from rstar_async.seeding import digest, seed_of
from storage.records import Evaluation, Problem, Search

SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """One policy, perhaps with a PPM, of one round of a run, under fixed settings.

    The id of an attempt follows from what it is, so an evaluation of more trajectories or more
    problems finds the attempts of the smaller one, and one that was cut off finds its own.
    """

    run_id: str
    round: int
    seed: int
    models: ActiveModels
    search: SearchConfig
    execution: ExecutionConfig
    bounds: BoundsConfig
    evaluation: EvaluationConfig
    ppm_note: str = ""

    @classmethod
    def of(
        cls, recipe: Recipe, run_id: str, number: int, models: ActiveModels, ppm_note: str = ""
    ) -> "EvaluationSettings":
        """Of round `number`, by the settings of the recipe. `ppm_note` is stored with every figure:
        that the PPM was left out or is doubtful."""
        return cls(
            run_id=run_id,
            round=number,
            seed=recipe.seed,
            models=models,
            search=recipe.search_of_evaluation,
            execution=recipe.execution,
            bounds=recipe.bounds,
            evaluation=recipe.evaluation,
            ppm_note=ppm_note,
        )

    def plan(self, strategy: Strategy) -> SearchPlan:
        """How an attempt is made; the gold answer never guides it."""
        search = strategy.search_settings(self.search)
        return SearchPlan(self.models, search, self.execution, "ppm", self.bounds)

    def attempt(self, strategy: Strategy, problem: Problem, number: int) -> Search:
        """The row of attempt `number` (from 1) at a problem.

        Its seed does not depend on settings, so two schedules of rollouts are compared on trees
        that are the same as far as both go.
        """
        shaped_by = self._shaping(strategy)
        models = self.models.policy, self.models.ppm
        parts = (self.run_id, self.round, *models, self.seed, shaped_by)
        return self.search_row(
            digest("attempt", *parts, strategy.name, problem.id, number).hex(),
            problem,
            seed_of(self.seed, strategy.name, number) % SEEDS,
        )

    def search_row(self, id_: str, problem: Problem, seed: int) -> Search:
        """A search of an evaluation that has not begun."""
        return Search(
            id=id_,
            run_id=self.run_id,
            round=self.round,
            problem_id=problem.id,
            purpose="evaluation",
            seed=seed,
            policy_id=self.models.policy,
            ppm_id=self.models.ppm,
        )

    def evaluation_record(
        self,
        id_: str,
        method: str,
        benchmark: str,
        share: Share,
        settings: Mapping[str, Any] | None = None,
        **figures: Any,
    ) -> Evaluation:
        """One figure for the store; `figures` are the other fields of `Evaluation`."""
        note = {"ppm_note": self.ppm_note} if self.ppm_note else {}
        return Evaluation(
            id=id_,
            run_id=self.run_id,
            round=self.round,
            method=method,
            benchmark=benchmark,
            policy_id=self.models.policy,
            ppm_id=self.models.ppm,
            pass_at_1=share.mean,
            low=share.low,
            high=share.high,
            settings={**(settings or {}), **note},
            **figures,
        )

    def encoded(self, *others: object) -> str:
        """The settings of search, its bounds and `others` as part of an id.

        The rule for a path's value is left out where it is that of older stores, so that what they
        have is found.
        """
        search = msgspec.to_builtins(self.search)
        rule = search.pop("path_value")
        if rule == "auto":
            rule = self.models.path_rule
        if rule != "last":
            search["path_value"] = rule
        return msgspec.json.encode((search, self.execution, self.bounds, *others)).decode()

    def _shaping(self, strategy: Strategy) -> str:
        """The settings that shape an attempt; how many run at once does not."""
        alone = replace(self, search=structs.replace(self.search, in_flight=1))
        return alone.encoded(tuple(strategy.own_settings(self.evaluation)))
