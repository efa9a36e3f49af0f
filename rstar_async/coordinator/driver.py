"""The self-evolution loop (paper section 3): search, train, publish, measure; then the next round.

The state of a run is in the database alone and every step reads it first: started again after any
crash, the driver finishes what is unfinished and repeats nothing. Of several coordinators, the one
that leads takes the run through its rounds; the drivers of the others only search.
"""

import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import trio
from msgspec import to_builtins

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from rstar_async.coordinator.gpu_sharing import SharedGPU
from rstar_async.coordinator.membership import Alone, Membership
from rstar_async.coordinator.round_search import RoundSearch
from rstar_async.coordinator.round_timer import keep_time
from rstar_async.coordinator.stages import Measuring
from rstar_async.data.problems import heldout_problems, problems_of_round
from rstar_async.domains.registry import domain_of
from rstar_async.errors import RstarError
from rstar_async.evaluation.round_evaluation import RoundEvaluation
from rstar_async.evaluation.round_majority import store_majority
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.trust import is_trusted, left_out
from rstar_async.models.gate import refusals
from rstar_async.search.models import ActiveModels
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.search.usable import usable
from storage import queries
from storage.records import (
    ModelStanding,
    Problem,
    Round,
    RoundProgress,
    RoundStatus,
    Run,
)
from storage.store import Store

log = logging.getLogger(__name__)

BOOTSTRAP = 0
POLL_SECONDS = 0.25


class Driver:
    """Takes one run through its rounds."""

    def __init__(
        self,
        recipe: Recipe,
        store: Store,
        runner: SearchRunner,
        gpu: SharedGPU | None = None,
        membership: Membership | None = None,
    ) -> None:
        self._recipe = recipe
        self._store = store
        self._runner = runner
        self._gpu = gpu or SharedGPU()
        self._membership = membership or Alone()
        self.measuring = Measuring()
        self._prompts = domain_of(recipe).prompts

    async def run(self) -> None:
        """Bring the run to its end, from wherever it stands."""
        heldout = await self._usable(heldout_problems(self._recipe))
        await self._store.commit(run_row(self._recipe), *heldout)
        for number in range(len(self._recipe.rounds) + 1):
            if not await self._help(number):
                await self._lead(number, heldout)
        await self._membership.wait_until_leading()

    async def _help(self, number: int) -> bool:
        """As long as another coordinator leads, help it to search; False once this one leads, True
        when the round is closed."""
        has_searched = False
        while not self._membership.leads:
            round_ = await self._stored_round(number)
            if round_ is not None and round_.status == "closed":
                return True
            if round_ is not None and round_.status == "searching" and not has_searched:
                await self._search_problems(round_)
                has_searched = True
            await trio.sleep(POLL_SECONDS)
        return False

    async def _lead(self, number: int, heldout: Sequence[Problem]) -> None:
        round_ = await self._open(number)
        if round_.status != "closed":
            async with keep_time(self._store, round_):
                await self._finish(round_, heldout)

    async def _finish(self, round_: Round, heldout: Sequence[Problem]) -> None:
        """From wherever the round stands."""
        number = round_.number
        if round_.status == "searching":
            await self._search(round_)
        await self._wait_until_trained(number)
        await self._gpu.hand_over("servers")
        await self._evaluate(number, heldout)
        await self._advance(number, "closed", *await self._refusals(number))

    async def _open(self, number: int) -> Round:
        """The stored round; a new one starts with the newest models of the rounds before."""
        if (stored := await self._stored_round(number)) is not None:
            return stored
        policy, ppm, _ = await self._models_of(number - 1) if number else ("", None, "")
        guided = number > 0 and self._recipe.rounds[number - 1].guidance == "ppm"
        row = Round(
            run_id=self._recipe.name,
            number=number,
            status="searching",
            policy_id=policy,
            ppm_id=ppm if guided else None,
            settings=self._round_settings(number),
        )
        await self._store.commit(row)
        return row

    async def _search(self, round_: Round) -> None:
        """Search every problem of the round, then mark the round as searched for the trainer."""
        await self._search_problems(round_)
        await self._gpu.hand_over("trainer")
        await self._advance(round_.number, "searched")

    async def _search_problems(self, round_: Round) -> None:
        """Returns when every problem is searched, by this coordinator or by another."""
        if round_.number == BOOTSTRAP:
            return
        own = self._recipe.rounds[round_.number - 1]
        seeds = [self._recipe.seed + further for further in range(own.seeds)]
        plan = self._search_plan(round_)
        search = RoundSearch(round_, seeds, plan, self._store, self._runner, self._membership)
        problems = await self._usable(problems_of_round(self._recipe, round_.number))
        await search.run(problems)

    async def _usable(self, problems: Sequence[Problem]) -> list[Problem]:
        return await usable(problems, self._runner, skip_bad=self._recipe.problems.skip_bad)

    async def _wait_until_trained(self, number: int) -> None:
        """Poll the row of the round, which the trainer process moves on."""
        while True:
            round_ = await self._stored_round(number)
            if round_ is not None and round_.status in ("trained", "closed"):
                return
            await trio.sleep(POLL_SECONDS)

    async def _evaluate(self, number: int, heldout: Sequence[Problem]) -> None:
        """Measure the models that this round produced."""
        if not heldout:
            return
        recipe = self._recipe
        policy, ppm, note = await self._models_of(number)
        models = self._load(policy, ppm)
        settings = EvaluationSettings.of(recipe, recipe.name, number, models, note)
        evaluation = RoundEvaluation(settings, self._runner, self._store, heldout)
        self.measuring.begin(number, len(heldout))
        await evaluation.policy(self.measuring.count)
        self.measuring.end()
        if recipe.evaluation.search:
            await evaluation.search()
            await store_majority(settings, self._runner, self._store, heldout)

    async def _refusals(self, number: int) -> list[ModelStanding]:
        """The models that the gate takes out of use, now that those of the round are measured."""
        if not self._recipe.gate.policy:
            return []
        found = await self._store.read(refusals, self._recipe.name, number)
        for standing in found:
            facts = {"model": standing.model_id, "reason": standing.reason}
            log.warning("model refused", extra=facts)
        return found

    async def _models_of(self, number: int) -> tuple[str, str | None, str]:
        """The newest policy and PPM when round `number` had been trained; a PPM that is not trusted
        is left out, and the last says why."""
        run = self._recipe.name
        policy = await self._store.read(queries.latest_published, run, "policy", number)
        ppm = await self._store.read(queries.latest_published, run, "ppm", number)
        if policy is None:
            raise RstarError(f"run {run} has no published policy after round {number}")
        if ppm is None or is_trusted(self._recipe.ppm, ppm.metrics):
            return policy.id, ppm.id if ppm else None, ""
        note = left_out(ppm.id, ppm.metrics)
        log.warning("PPM left out: %s", note, extra={"model": ppm.id})
        return policy.id, None, note

    def _search_plan(self, round_: Round) -> SearchPlan:
        recipe = self._recipe
        return SearchPlan(
            self._load(round_.policy_id, round_.ppm_id),
            recipe.search_of_round(round_.number),
            recipe.execution,
            "truth",
            recipe.bounds,
            recipe.rounds[round_.number - 1].unsolved_rollouts,
        )

    def _load(self, policy: str, ppm: str | None) -> ActiveModels:
        return ActiveModels.load(self._recipe.models_folder, policy, ppm, self._prompts)

    async def _advance(self, number: int, status: RoundStatus, *also: ModelStanding) -> None:
        now = time.time()
        await self._store.commit(
            *also,
            RoundProgress(
                run_id=self._recipe.name,
                number=number,
                status=status,
                searched_at=now if status == "searched" else None,
                closed_at=now if status == "closed" else None,
            ),
        )
        facts = {"run": self._recipe.name, "round": number, "status": status}
        log.info("round recorded", extra=facts)

    async def _stored_round(self, number: int) -> Round | None:
        return await self._store.read(queries.round_by_number, self._recipe.name, number)

    def _round_settings(self, number: int) -> dict[str, Any]:
        """The resolved recipe, with the round's own search settings.

        Where and by how many processes it runs is left out, because that may change at any time.
        """
        values = as_toml_values(self._recipe)
        if number == BOOTSTRAP:
            kept = ("preset", "seed", "model", "bootstrap")
            return {key: values[key] for key in kept}
        rounds = values.pop("rounds")
        values["search"] = to_builtins(self._recipe.search_of_round(number))
        dropped = ("home", "database", "workers", "observe")
        return {"round": rounds[number - 1], **{k: values[k] for k in values if k not in dropped}}


def run_row(recipe: Recipe) -> Run:
    """The row of the recipe's run, as it is stored first."""
    return Run(
        id=recipe.name,
        recipe=as_toml_values(recipe),
        seed=recipe.seed,
        code_version=version("rstar-async"),
    )
